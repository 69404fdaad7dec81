"""Events come back from their bytes as they were; what is personal never stands in them."""

import hashlib
from base64 import urlsafe_b64encode
from typing import Any
from uuid import RFC_4122

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st
from msgspec import json
from msgspec.structs import replace

from audit.merkle import leaf_hash
from domain.base import ERASED, Event
from domain.catalog import EVENT_TYPES, tag_of
from domain.work.project.events import ProjectRenamed
from domain.work.task.events import TaskRetitled
from eventstore.codec import (
    NOWHERE,
    PERSONAL,
    SEALED_TAGS,
    decode,
    encode,
    event_values,
    origin_value,
    seal_origin,
)
from eventstore.recorded import Row, event_id, microseconds
from eventstore.upcasting import schema_version
from security.sealing import SealBroken, StreamCipher
from tests.domain.spec import ACME, ANA, event_of
from tests.eventstore.examples import AT, STREAM, VERSION, envelope

KEY, OTHER_KEY = StreamCipher(bytes(range(32))), StreamCipher(bytes(range(1, 33)))
MARK = "¿who told?"
TELLING = st.text(max_size=40).map(f"{MARK}{{}}".format)
"""Any text, with a mark that stands in the stored bytes only if the text does: long enough that
no sealed bytes spell it by chance."""

FROM = (ANA, microseconds(AT))


def stored(event: Event, cipher: StreamCipher | None = KEY) -> Row:
    return encode(event, envelope(), ACME, NOWHERE, cipher)


def personal(event: Event) -> dict[str, str]:
    """Return the personal values of *event* by their stored names."""
    found = {e: getattr(event, name) for name, e in PERSONAL[type(event)].encoded.items()}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def outspoken(data: st.DataObject, tag: str) -> Event:
    """Draw an event whose personal values are all telling."""
    event = data.draw(event_of(EVENT_TYPES[tag]))
    attributes = PERSONAL[type(event)].attributes
    told: dict[str, Any] = {attributes[name]: data.draw(TELLING) for name in personal(event)}
    return replace(event, **told)


@settings(max_examples=5)
@pytest.mark.parametrize("tag", EVENT_TYPES)
@forall(data=st.data())
def test_every_event_survives_a_round_trip_and_stores_nothing_personal_in_the_clear(
    tag: str, data: st.DataObject
) -> None:
    event = outspoken(data, tag)

    row = stored(event)

    back = decode(row, KEY)
    assert back.event == event
    assert type(back.event) is EVENT_TYPES[tag]
    assert back.metadata == replace(envelope(), schema=schema_version(tag))
    assert (back.tag, row.tag, back.at) == (tag, tag, AT)
    assert MARK.encode() not in row.state + (row.private or b"")
    assert personal(decode(row, None).event) == dict.fromkeys(personal(event), ERASED)
    check_committed(row, personal(event))


def check_committed(row: Row, told: dict[str, str]) -> None:
    """Check that each value of *told* stands in *row* as a commitment that its salt opens."""
    values = event_values(row, KEY)
    assert {name: value for name, (_, value) in values.items()} == told
    event = json.decode(row.state)["event"]
    for name, (salt, value) in values.items():
        assert len(salt) == 16
        assert event[name] == commitment(salt, value)


def test_two_commitments_to_one_value_differ() -> None:
    same = TaskRetitled(from_="one name", to="one name")

    told = json.decode(stored(same).state)["event"]

    assert told["from"] != told["to"]


def test_an_event_with_personal_values_is_not_stored_without_a_key() -> None:
    with pytest.raises(ValueError, match="needs a key"):
        stored(TaskRetitled(from_="a", to="b"), None)


def test_a_key_is_needed_exactly_for_kinds_with_personal_values() -> None:
    for kind in EVENT_TYPES.values():
        assert (tag_of(kind) in SEALED_TAGS) is bool(PERSONAL[kind].encoded)


@pytest.mark.parametrize("change", [{"version": VERSION + 1}, {"stream_id": ANA}])
def test_sealed_values_open_only_at_their_own_event(change: dict[str, Any]) -> None:
    row = stored(TaskRetitled(from_="a", to="b"))
    moved = replace(row, **change)

    with pytest.raises(SealBroken):
        decode(moved, KEY)


def test_sealed_values_of_one_event_do_not_open_at_another() -> None:
    row, other = stored(TaskRetitled(from_="a", to="b")), stored(ProjectRenamed(from_="c", to="d"))
    swapped = replace(row, version=VERSION + 1, private=other.private)

    with pytest.raises(SealBroken):
        decode(swapped, KEY)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(SealBroken):
        decode(stored(TaskRetitled(from_="a", to="b")), OTHER_KEY)


class TestWhereACommandCameFrom:
    def test_the_origin_opens_only_with_the_actors_key(self) -> None:
        origin = seal_origin("192.0.2.7", "Browser/1", OTHER_KEY, FROM)
        row = encode(TaskRetitled(from_="a", to="b"), envelope(), ACME, origin, KEY)

        assert b"192.0.2.7" not in row.state + (row.private or b"")
        opened = origin_value(row, OTHER_KEY, ANA)
        assert opened is not None
        salt, value = opened
        assert json.decode(value) == ["192.0.2.7", "Browser/1"]
        assert origin.commitment == commitment(salt, value)
        assert origin_value(row, None, ANA) is None
        with pytest.raises(SealBroken):
            origin_value(row, OTHER_KEY, STREAM)
        with pytest.raises(SealBroken):
            origin_value(replace(row, recorded_at=row.recorded_at + 1), OTHER_KEY, ANA)

    def test_an_origin_without_an_actors_key_is_not_stored(self) -> None:
        assert seal_origin("192.0.2.7", "Browser/1", None, FROM) == NOWHERE
        assert seal_origin(None, None, KEY, FROM) == NOWHERE

    def test_an_origin_may_be_partly_known(self) -> None:
        origin = seal_origin("192.0.2.7", None, KEY, FROM)
        row = encode(TaskRetitled(from_="a", to="b"), envelope(), ACME, origin, KEY)

        opened = origin_value(row, KEY, ANA)
        assert opened is not None
        assert json.decode(opened[1]) == ["192.0.2.7", None]


def commitment(salt: bytes, value: str) -> str:
    """Return the commitment to a value, made by hand."""
    digest = hashlib.sha256(salt + value.encode()).digest()
    return f"sha256:{urlsafe_b64encode(digest).decode().rstrip('=')}"


def test_the_id_of_an_event_is_the_beginning_of_its_leaf() -> None:
    row, other = (
        stored(ProjectRenamed(from_="a", to="b")),
        stored(ProjectRenamed(from_="a", to="c")),
    )

    leaf = leaf_hash(row.state).hex()
    made = row.id.hex

    assert row.id == decode(row, KEY).id == event_id(row)
    assert (row.id.version, row.id.variant) == (8, RFC_4122)
    assert (made[:12], made[13:16], made[17:]) == (leaf[:12], leaf[13:16], leaf[17:32])
    assert row.id != other.id


def test_bytes_that_cannot_be_read_have_no_id() -> None:
    row = replace(stored(ProjectRenamed(from_="a", to="b")), state=b'{"metadata":{}}')

    assert event_id(row) is None
