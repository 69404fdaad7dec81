"""Turns old stored shapes into today's events; the stored bytes never change.

``STEPS`` maps a stored tag to its steps, oldest first. Step *n* takes the event of schema
version *n* as plain JSON and returns it in version *n + 1*; the tag may change on the way. The
metadata of an event holds its schema version (``schema``, 1 if absent), so an event in the newest
shape goes through no step. ``tests/eventstore/golden`` holds one file for each shape ever stored.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from domain.base import Event
from domain.catalog import EVENT_TYPES
from eventstore.recorded import Row

Step = Callable[[dict[str, Any]], dict[str, Any]]

STEPS: dict[str, Sequence[Step]] = {}


class _Plain(Struct, frozen=True):
    metadata: Raw
    event: dict[str, Any]


class _Schema(Struct, frozen=True):
    schema: int = 1


def schema_version(tag: str) -> int:
    """Return the version in which events of *tag* are written today."""
    return len(STEPS.get(tag, ())) + 1


def upcast(row: Row, steps: Sequence[Step]) -> Event:
    """Return the event of *row* after the steps that its schema version still needs."""
    plain = msgspec.json.decode(row.state, type=_Plain)
    event = plain.event
    for step in steps[msgspec.json.decode(plain.metadata, type=_Schema).schema - 1 :]:
        event = step(event)
    return msgspec.convert(event, EVENT_TYPES[event["type"]])
