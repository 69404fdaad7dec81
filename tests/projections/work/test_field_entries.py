"""Lists of what is found by a name, at a sort key of its own for each name."""

import random
from typing import Any

import pytest
from msgspec.structs import replace

from projections.base import Document
from projections.engine.control import Control
from projections.engine.query import Query, QueryRefused
from projections.engine.store import Batch, ReadStore, ShapedCollection, Written
from projections.shape import Index, Kind, Shape, entry

_SCOPE = ("org", "deleted")
PLACED = ShapedCollection(
    "placed_v1_b1",
    Shape(
        "placed",
        1,
        {"open": Kind.TRUTH, "people": Kind.TEXTS, "places": Kind.TEXTS},
        (Index(_SCOPE, "places", contains="places"),),
    ),
)
NAMES = ("cost", "cos", "size")


def placed(number: int, places: dict[str, str], **about: Any) -> Document:
    """Return a document that is found by names, at a sort key for each."""
    fields: dict[str, Any] = {
        "open": about.get("open", True),
        "people": about.get("people", ["ana"]),
        "places": [entry(name, f"{key}!{number}") for name, key in places.items()],
    }
    return Document(
        id=f"acme:{number:04}",
        org="acme",
        deleted=about.get("deleted", False),
        position=number,
        version=1,
        updated_at="2026-03-01T09:30:00.123456+00:00",
        fields=fields,
        json=b"%d" % number,
    )


async def write(store: ReadStore, control: Control, *documents: Document) -> Control:
    return await store.write(Batch(control=control, written=[Written(PLACED, documents)]))


def asked(name: str, **about: Any) -> Query:
    details: dict[str, Any] = {"where": {"org": "acme", "deleted": False}, "limit": 10} | about
    return Query(model="placed", sort="places", contains=("places", name), **details)


async def found(store: ReadStore, query: Query) -> tuple[list[int], Any]:
    """Return the numbers of a page, and the key to continue after."""
    [page] = await store.find([(PLACED, query)])
    return [int(item) for item in page.items], page.next_key


async def test_each_name_has_its_own_order_of_documents(store: ReadStore) -> None:
    await store.create(PLACED)
    documents = [
        placed(1, {"cost": "5", "size": "m"}),
        placed(2, {"cost": "3"}),
        placed(3, {"size": "a"}),
        placed(4, {"cost": "9", "cos": "1"}),
        placed(5, {"cost": "1"}, deleted=True),
        placed(6, {}),
    ]
    control = await write(store, Control(), *documents)

    assert await found(store, asked("cost")) == ([2, 1, 4], None)
    assert await found(store, asked("cos")) == ([4], None)
    assert await found(store, asked("size", descending=True)) == ([1, 3], None)
    assert await found(store, asked("cost", limit=2)) == ([2, 1], "5!1")
    assert await found(store, asked("cost", above="5!1")) == ([4], None)
    assert await found(store, asked("cost", above="3!2", below="9!4")) == ([1], None)
    assert await found(store, asked("cost", descending=True, below="9!4")) == ([1, 2], None)
    assert await store.count(PLACED, asked("cost", limit=1), 9) == 3

    await write(store, control, placed(1, {"cost": "8"}), placed(2, {"size": "b"}))

    assert await found(store, asked("cost")) == ([1, 4], None)
    assert await found(store, asked("size")) == ([3, 2], None)


async def test_filters_leave_out_what_the_index_does_not_tell(store: ReadStore) -> None:
    await store.create(PLACED)
    people = [["ana"], ["ben"], ["ana", "ben"], []]
    documents = [
        placed(n, {"cost": f"{n:02}"}, open=n % 3 > 0, people=people[n % 4]) for n in range(20)
    ]
    await write(store, Control(), *documents)
    query = asked("cost", residual={"open": True}, holding=[("people", ["ben"])], limit=4)

    assert await found(store, query) == ([1, 2, 5, 10], "10!10")
    assert await found(store, replace(query, above="10!10")) == ([13, 14, 17], None)
    [page] = await store.find([(PLACED, replace(query, keyed=True))])
    assert page.keys == ["01!1", "02!2", "05!5", "10!10"]


async def test_pages_of_entries_equal_a_model(store: ReadStore) -> None:
    await store.create(PLACED)
    chance = random.Random(7)  # noqa: S311 - a model needs no secrets
    control, model = Control(), dict[int, dict[str, str]]()
    for _ in range(6):
        some = {
            chance.randrange(30): {
                name: str(chance.randrange(9)) for name in NAMES if chance.random() < 0.6
            }
            for _ in range(12)
        }
        model |= some
        control = await write(store, control, *(placed(n, each) for n, each in some.items()))

    for name in NAMES:
        keyed = sorted((f"{each[name]}!{n}", n) for n, each in model.items() if name in each)
        for descending in (False, True):
            expected = [n for _, n in (reversed(keyed) if descending else keyed)]
            got: list[int] = []
            query = asked(name, limit=4, descending=descending)
            while True:
                numbers, after = await found(store, query)
                got += numbers
                if after is None:
                    break
                query = replace(query, **{"below" if descending else "above": after})
            assert got == expected


async def test_entries_are_searched_for_one_name(store: ReadStore) -> None:
    await store.create(PLACED)
    with pytest.raises(QueryRefused):
        await found(store, replace(asked("cost"), contains=("places", ["cost", "size"])))
    assert "places" in await store.explain(PLACED, asked("cost"))
