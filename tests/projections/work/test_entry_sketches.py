"""Ranges of entries in the order of another field, which SQLite tells beside each entry."""

import json
from typing import Any

import pytest

from projections.base import Document
from projections.engine.control import Control
from projections.engine.query import Query
from projections.engine.store import Batch, ReadStore, ShapedCollection, Written
from projections.shape import Index, Kind, Shape, entry
from tests.projections.engine.things import thing

_SHAPE = Shape(
    "priced",
    1,
    {
        "number": Kind.INTEGER,
        "status": Kind.TEXT,
        "open": Kind.TRUTH,
        "people": Kind.TEXTS,
        "ordered": Kind.TEXTS,
    },
    (
        Index(("org", "deleted"), "number"),
        Index(("org", "deleted"), "ordered", contains="ordered", also=("people", "number", "open")),
    ),
)
PRICED = ShapedCollection("priced_v1_b1", _SHAPE)


def priced(number: int, price: int | None, *, at: int = 0, **about: Any) -> Document:
    """Return a thing with a price, and another field; *at* is its number, if that has changed."""
    ordered = [entry("size", f"7!{number}")]
    ordered += [] if price is None else [entry("price", f"{price}!{number}")]
    told = thing(number, ordered=ordered, **about)
    told.fields["number"] = at or number
    return told


async def stored(store: ReadStore, control: Control, *documents: Document) -> Control:
    return await store.write(Batch(control=control, written=[Written(PRICED, documents)]))


async def numbers(store: ReadStore, **about: Any) -> list[int]:
    """Return which things are found whose price is from 3 to 6, the highest number first."""
    query = Query(
        model="priced",
        where={"org": "acme", "deleted": False},
        sort="number",
        descending=True,
        contains=("ordered", "price"),
        between=[("3", "5"), ("5", "7")],
        **({"limit": 10} | about),
    )
    [found] = await store.find([(PRICED, query)])
    assert await store.count(PRICED, query, 100) >= found.size
    return [json.loads(item)["number"] for item in found.items]


@pytest.fixture
async def control(store: ReadStore) -> Control:
    """Write a thing for each price from 1 to 8."""
    await store.create(PRICED)
    things = [priced(n, n, people=["ana"], open=n % 2 > 0) for n in range(1, 9)]
    return await stored(store, Control(), *things)


async def test_entries_tell_what_is_compared_and_sorted(store: ReadStore, control: Control) -> None:
    assert await numbers(store) == [6, 5, 4, 3]
    assert await numbers(store, limit=2) == [6, 5]
    assert await numbers(store, below=5) == [4, 3]
    assert await numbers(store, residual={"open": True}) == [5, 3]
    assert await numbers(store, residual={"open": True, "status": "DONE"}) == []
    assert await numbers(store, holding=[("people", ["ben", "ana"])]) == [6, 5, 4, 3]
    assert await numbers(store, holding=[("people", ["ben"])]) == []


async def test_what_entries_tell_changes_with_their_document(
    store: ReadStore, control: Control
) -> None:
    changed = [priced(3, 3, at=9, people=["ana"]), priced(4, 4, people=["ben"], open=True)]
    await stored(store, control, *changed, priced(5, None, people=["ben"]), priced(8, 6))

    assert await numbers(store) == [3, 8, 6, 4]
    assert await numbers(store, below=9) == [8, 6, 4]
    assert await numbers(store, holding=[("people", ["ben"])]) == [4]
    assert await numbers(store, residual={"open": True}) == [3, 8, 4]


async def test_what_looks_as_if_it_had_a_text_is_compared(
    store: ReadStore, control: Control
) -> None:
    everybody = [f"person {n}" for n in range(200)]
    await stored(store, control, priced(3, 3, people=everybody), priced(6, 6, people=["ben"]))

    assert await numbers(store, holding=[("people", ["ben"])]) == [6]
    assert await numbers(store, holding=[("people", ["ana"])], limit=2) == [5, 4]
    wide = ["ben", *(f"nobody {n}" for n in range(9))]
    assert await numbers(store, holding=[("people", wide)]) == [6]
