"""Moments of an organization: what its newest event is, and what GET answers now and then."""

from typing import Any
from uuid import UUID

from domain.base import OrgId
from runtime.system import System
from tests.api.stage import Person, done, refused

ELSEWHERE = ("blocked", "comments", "attachments", "timeSpentMinutes", "subtasks", "overdue")
"""What a task shows that other things tell, or the clock: a past one leaves it out."""


async def seq_now(system: System, person: Person) -> int:
    """Return the sequence of the newest event of a person's organization."""
    return await system.log.organization_head(OrgId(UUID(person.org_id)))


async def then(person: Person, path: str, moment: int | str, **more: Any) -> Any:
    """Return what a GET shows of a moment, without saying which that is."""
    shown = done(await person.get(path, params={"as_of": moment, **more}), 200)
    as_of = shown.pop("asOf")
    if isinstance(moment, int):
        assert as_of["seq"] == moment
    return shown


def own(task: Any) -> Any:
    """Return what a task itself says of what a GET shows now."""
    return {name: value for name, value in task.items() if name not in ELSEWHERE}


async def check_missing(person: Person, path: str, moment: int) -> None:
    """Check that a past thing looks like one that there never was."""
    found = await person.get(path, params={"as_of": moment})
    missing = await person.get("/task/ENG-999", params={"as_of": moment})
    expected = refused(missing, 404, "not_found") | {"requestId": ""}
    assert refused(found, 404, "not_found") | {"requestId": ""} == expected
