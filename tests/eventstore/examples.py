"""One deterministic event of each kind, every field of it set, and the files that keep them.

``make examples`` writes a file for each kind, and for a newer shape of one, if there is none. What
is there never changes: some log out there holds it.
"""

from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, NewType, get_args, get_origin
from unittest.mock import patch
from uuid import UUID

import msgspec
from msgspec import Struct, UnsetType
from msgspec.structs import fields

from domain.base import Event
from domain.catalog import EVENT_TYPES
from domain.planning.criteria import (
    NamedAssignee,
    NamedCycle,
    NamedGroup,
    NamedLabel,
    NamedPerson,
    NamedPriority,
    NamedThing,
)
from eventstore.codec import NOWHERE, Values, encode, event_values
from eventstore.recorded import Actor, ActorKind, Metadata, Row, microseconds
from eventstore.upcasting import schema_version
from security.sealing import StreamCipher
from tests.domain.spec import ACME, ANA

GOLDEN = Path(__file__).with_name("golden")
AT = datetime(2026, 3, 1, 9, 30, 0, 123_456, tzinfo=UTC)
STREAM = UUID(int=0x5EA)
VERSION = 3


class Golden(Struct, frozen=True):
    """One stored event with what opens it and what it means."""

    tag: str
    state: str
    private: str | None  # hexadecimal, as are the next two
    key: str
    salts: dict[str, str]
    event: dict[str, Any]

    @property
    def row(self) -> Row:
        """The event as the database holds it."""
        private = None if self.private is None else bytes.fromhex(self.private)
        state = self.state.encode()
        return Row(9, STREAM, VERSION, self.tag, state, private, ACME, 5, 0)

    @property
    def cipher(self) -> StreamCipher:
        return StreamCipher(bytes.fromhex(self.key))


_CHOSEN: dict[Any, str] = {NamedGroup: "CANCELLED", NamedPriority: "URGENT"}


def example(kind: type[Event]) -> Event:
    """Return an event of *kind* whose fields say their own names."""
    return kind(**{f.name: _value(f.type, f.name) for f in fields(kind)})


def _value(hint: Any, name: str) -> Any:
    if isinstance(hint, NewType):
        return _value(hint.__supertype__, name)
    if hint in {NamedAssignee, NamedCycle, NamedLabel, NamedPerson, NamedThing}:
        return str(UUID(int=0x1D))
    if hint in _CHOSEN:
        return _CHOSEN[hint]
    if get_origin(hint) is Annotated:
        return f'Zürich "{name}"\n🚀'
    known: dict[Any, Any] = {
        UUID: UUID(int=0x1D),
        str: f"the {name}",
        int: 7,
        bool: True,
        date: AT.date(),
        datetime: AT,
        tuple[str, ...]: ("task.created", "project.*"),
    }
    if hint in known:
        return known[hint]
    return _composed(hint, name)


def _composed(hint: Any, name: str) -> Any:
    if isinstance(hint, type):
        return _value_of_class(hint)
    if get_origin(hint) is tuple:
        return (_value(get_args(hint)[0], name),)
    if get_origin(hint) is dict:
        return {f"a {name}": f"another {name}"}
    return next(_value(part, name) for part in get_args(hint) if part not in (NoneType, UnsetType))


def _value_of_class(hint: type) -> Any:
    if issubclass(hint, Struct):
        return hint(**{f.name: _value(f.type, f.name) for f in fields(hint)})
    assert issubclass(hint, Enum)
    return list(hint)[-1]


def envelope() -> Metadata:
    """Return full metadata, so that no field of it changes its name unseen."""
    return Metadata(
        stream=STREAM,
        version=VERSION,
        at=microseconds(AT),
        actor=Actor(ActorKind.API_KEY, ANA),
        command="DoIt",
        on_behalf_of=ANA,
        request_id="request",
        correlation_id="correlation",
        causation_id=UUID(int=0xCA),
    )


def store(kind: type[Event]) -> Golden:
    """Return an event of *kind* as it would be stored today, with salts that are no secret."""
    key = bytes(range(32))
    counted = iter(range(1, 1_000))

    def foreseen(size: int) -> bytes:
        return next(counted).to_bytes(size, "big")

    cipher = StreamCipher(key, foreseen)
    with patch("eventstore.codec.random_bytes", foreseen):
        row = encode(example(kind), envelope(), ACME, NOWHERE, cipher)
    values: Values = event_values(row, cipher)
    return Golden(
        tag=row.tag,
        state=row.state.decode(),
        private=row.private.hex() if row.private else None,
        key=key.hex(),
        salts={name: salt.hex() for name, (salt, _) in values.items()},
        event=msgspec.to_builtins(example(kind)),
    )


def newest(tag: str) -> str:
    """Return the name of the file with the newest shape of *tag*: the later ones have numbers."""
    schema = schema_version(tag)
    return tag if schema == 1 else f"{tag}.{schema}"


def golden(name: str) -> Golden:
    """Return the stored event of the file *name*."""
    return msgspec.json.decode((GOLDEN / f"{name}.json").read_bytes(), type=Golden)


def write_missing() -> None:
    """Write a file for the newest shape of each kind of event, if it has none."""
    for tag, kind in EVENT_TYPES.items():
        path = GOLDEN / f"{newest(tag)}.json"
        if not path.exists():
            path.write_bytes(
                msgspec.json.format(msgspec.json.encode(store(kind)), indent=2) + b"\n"
            )


if __name__ == "__main__":
    write_missing()
