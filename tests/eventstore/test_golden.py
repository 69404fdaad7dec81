"""Every shape that was ever stored is still read, and written byte for byte as it was."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import json
from msgspec.structs import replace

from domain.base import ERASED
from domain.catalog import EVENT_TYPES
from domain.work.task.events import TaskRetitled
from eventstore.codec import NOWHERE, decode, encode
from eventstore.upcasting import STEPS, Step, schema_version
from tests.domain.spec import ACME
from tests.eventstore.examples import GOLDEN, envelope, example, golden, newest

TITLED = "task.retitled"


NEWEST = {newest(tag) for tag in EVENT_TYPES}
STORED = {path.stem for path in GOLDEN.glob("*.json")}


def test_every_type_of_event_has_a_golden_file() -> None:
    """A new kind, or a newer shape, gets one from ``make examples``."""
    assert not NEWEST - STORED


@pytest.mark.parametrize("name", sorted(NEWEST & STORED))
def test_a_stored_event_still_decodes_to_the_same_event(name: str) -> None:
    kept = golden(name)

    read = decode(kept.row, kept.cipher)

    assert json.decode(json.encode(read.event)) == kept.event
    assert read.metadata == replace(envelope(), schema=schema_version(kept.tag))


def test_every_older_shape_is_still_read() -> None:
    for name in STORED - NEWEST:  # the test of its step says what it means today
        kept = golden(name)
        assert type(decode(kept.row, kept.cipher).event) in EVENT_TYPES.values()


@pytest.mark.parametrize("tag", EVENT_TYPES)
def test_the_stored_bytes_of_an_event_have_not_changed(
    tag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = golden(newest(tag))
    salts = iter(kept.salts.values())

    def kept_salt(size: int) -> bytes:
        return bytes.fromhex(next(salts))

    monkeypatch.setattr("eventstore.codec.random_bytes", kept_salt)

    row = encode(example(EVENT_TYPES[tag]), envelope(), ACME, NOWHERE, kept.cipher)

    assert row.state == kept.row.state


def steps(*taken: Step) -> Sequence[Step]:
    return taken


class TestAnOlderShape:
    """``task.retitled`` as if today's shape were its third."""

    def test_an_older_shape_goes_through_the_missing_steps(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept = golden(TITLED)
        old = kept.state.replace('"from":', '"was":').replace('"to":', '"title":')
        taken: list[int] = []

        def first(event: dict[str, Any]) -> dict[str, Any]:
            taken.append(1)
            event["from"] = event.pop("was")
            return event

        def second(event: dict[str, Any]) -> dict[str, Any]:
            taken.append(2)
            event["to"] = event.pop("title")
            return event

        monkeypatch.setitem(STEPS, TITLED, steps(first, second))
        row = kept.row
        row.state = old.encode()
        row.private = None

        read = decode(row, None)

        assert taken == [1, 2]
        assert read.event == TaskRetitled(from_=ERASED, to=ERASED)
        assert row.state == old.encode()

    def test_the_current_shape_goes_through_no_step(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def never(event: dict[str, Any]) -> dict[str, Any]:
            raise AssertionError(event)

        monkeypatch.setitem(STEPS, TITLED, steps(never, never))
        event = TaskRetitled(from_="a", to="b")

        row = encode(event, envelope(), ACME, NOWHERE, golden(TITLED).cipher)

        assert decode(row, golden(TITLED).cipher).event == event
        assert decode(row, golden(TITLED).cipher).metadata.schema == 3

    def test_an_older_shape_may_have_had_another_name(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def renamed(event: dict[str, Any]) -> dict[str, Any]:
            return event | {"type": TITLED}

        monkeypatch.setitem(STEPS, "task.renamed", steps(renamed))
        kept = golden(TITLED)
        row = kept.row
        row.tag = "task.renamed"
        row.state = kept.state.replace(TITLED, "task.renamed").encode()

        assert decode(row, kept.cipher).event == example(TaskRetitled)
