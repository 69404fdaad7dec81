"""Makes forks in tests, and tells what they should show."""

import json
import re
from typing import Any
from uuid import UUID

from cli.upkeep.forking import Fork
from domain.base import OrgId
from runtime.system import System
from tests.api.stage import Json, Person, done, unique

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def begun(system: System, person: Person) -> Fork:
    """Return a fork of the organization of *person*, of which nothing is copied yet."""
    return Fork(system, OrgId(UUID(person.org_id)), unique("f")[:30])


async def make(system: System, person: Person, at: str = "") -> Fork:
    """Fork the organization of *person* as the operator does."""
    fork = begun(system, person)
    await fork.begin(at)
    await end(fork)
    return fork


async def end(fork: Fork) -> None:
    """Make what is left of a fork."""
    await fork.copy(lambda *_: None)
    await fork.copy_files(lambda *_: None)
    await fork.finish("")


async def enter(person: Person, fork: Fork) -> None:
    """Have *person* work in a fork."""
    asked = {"organizationId": str(fork.ids.fork)}
    done(await person.post("/auth/switch-organization", asked), 200)


def expected_in(fork: Fork, shown: Json) -> Json:
    """Return what the original showed, as the fork shows it."""
    text = _ID.sub(lambda found: str(fork.ids.of(UUID(found[0]))), json.dumps(shown))
    told: Json = renumbered(json.loads(text), fork)
    return told


def renumbered(shown: Any, fork: Fork) -> Any:
    """Return *shown* with the sequence numbers that events have in the fork."""
    if isinstance(shown, dict):
        told: Json = {name: renumbered(value, fork) for name, value in shown.items()}
        if isinstance(told.get("seq"), int):
            told["seq"] = fork.survey.seq(told["seq"])
        return told
    return [renumbered(each, fork) for each in shown] if isinstance(shown, list) else shown


def without_event_ids(shown: Any) -> Any:
    """Return *shown* without the ids of events, which are made of their bytes."""
    if isinstance(shown, dict):
        told: Json = {name: without_event_ids(value) for name, value in shown.items()}
        if "seq" in told:
            told.pop("id", None)
            told.pop("copyOf", None)
        return told
    return [without_event_ids(each) for each in shown] if isinstance(shown, list) else shown
