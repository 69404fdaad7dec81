"""Things: the documents that the contract of the read-model port stores and finds."""

import json
from typing import Any, NamedTuple

from projections.base import Document
from projections.engine.control import Control
from projections.engine.query import ListSlice, Query
from projections.engine.store import (
    Batch,
    ReadStore,
    ShapedCollection,
    Written,
)
from projections.shape import Index, Kind, Shape

SHAPE = Shape(
    "things",
    1,
    {"number": Kind.INTEGER, "status": Kind.TEXT, "open": Kind.TRUTH, "people": Kind.TEXTS},
    (
        Index(("org", "deleted"), "number"),
        Index(("org", "deleted", "status"), "number"),
        Index(("org", "deleted"), "number", contains="people", also=("open",)),
        Index(("org", "deleted"), "id"),
        Index(("org", "deleted"), "id", contains="people", also=("open",)),
    ),
)
THINGS = ShapedCollection("things_v1_b1", SHAPE)


def thing(number: int, **about: Any) -> Document:
    """Return a document with *number*; *about* overrides its fields."""
    base: dict[str, Any] = {"org": "acme", "deleted": False, "position": number} | {
        name: about.pop(name) for name in ("org", "deleted", "position") if name in about
    }
    fields: dict[str, Any] = {
        "number": number,
        "status": "TODO",
        "open": True,
        "people": ["ana"],
    } | about
    return Document(
        id=f"{base['org']}:{number:04}",
        version=1,
        updated_at="2026-03-01T09:30:00.123456+00:00",
        fields=fields,
        json=b'{"number":%d}' % number,
        **base,
    )


def of(control: Control, *documents: Document, **more: Any) -> Batch:
    """Return a batch that writes *documents*."""
    return Batch(control=control, written=[Written(THINGS, documents)], **more)


async def filled(store: ReadStore, *documents: Document) -> Control:
    """Store *documents*, the first of all."""
    await store.create(THINGS)
    return await store.write(of(Control(), *documents))


class Shown(NamedTuple):
    """The sort keys of a page, and the key to continue after."""

    keys: list[Any]
    next_key: Any


def shown(query: Query, found: ListSlice) -> Shown:
    """Return the sort keys of the things in a page."""
    assert found.size == len(found.items)
    numbers = [json.loads(item)["number"] for item in found.items]
    by_id = query.sort == "id"
    return Shown([f"acme:{n:04}" for n in numbers] if by_id else numbers, found.next_key)


async def page(store: ReadStore, **about: Any) -> Shown:
    """Return one page of things, 10 unless *about* says otherwise."""
    asked: dict[str, Any] = {"model": "things", "sort": "number", "limit": 10}
    asked["where"] = {"org": "acme", "deleted": False} | about.pop("where", {})
    query = Query(**(asked | about))
    [found] = await store.find([(THINGS, query)])
    return shown(query, found)
