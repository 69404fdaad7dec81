"""Lists of what is found by a name, at a sort key of its own for each name."""

import random
from typing import Any

import pytest
from msgspec.structs import replace

from projections.base import Document
from projections.engine.control import Control
from projections.engine.query import Entered, Query, QueryRefused
from projections.engine.store import Batch, ReadStore, ShapedCollection, Written
from projections.shape import Index, Kind, Shape, entry

_SCOPE = ("org", "deleted")
PLACED = ShapedCollection(
    "placed_v1_b1",
    Shape(
        "placed",
        1,
        {"open": Kind.TRUTH, "people": Kind.TEXTS, "places": Kind.TEXTS},
        (Index(_SCOPE, "places", contains="places"), Index(_SCOPE, "id")),
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


def in_order(name: str, *ranges: tuple[str, str], **about: Any) -> Query:
    """Return a query for what has an entry within *ranges*, in the order of ids."""
    return replace(asked(name, **about), sort="id", between=ranges)


async def test_what_has_an_entry_within_a_range_comes_in_another_order(store: ReadStore) -> None:
    await store.create(PLACED)
    documents = [placed(n, {"cost": f"{20 - n:02}", "size": "5"}) for n in range(20)]
    await write(store, Control(), *documents, placed(30, {"cost": "10"}, deleted=True))
    within = in_order("cost", ("05", "12"))
    several = in_order("cost", ("02", "04"), ("09", "11"), ("17", "18"))

    assert await found(store, within) == ([*range(9, 16)], None)
    assert await found(store, replace(within, limit=3)) == ([9, 10, 11], "acme:0011")
    assert await found(store, replace(within, limit=3, above="acme:0011")) == (
        [12, 13, 14],
        "acme:0014",
    )
    assert await found(store, replace(within, descending=True, below="acme:0011")) == (
        [10, 9],
        None,
    )
    assert await found(store, several) == ([3, 10, 11, 17, 18], None)
    assert await found(store, in_order("cost", ("12", "05"))) == ([], None)
    assert await found(store, in_order("cos", ("05", "12"))) == ([], None)
    assert await store.count(PLACED, within, 99) == 7
    assert await store.count(PLACED, within, 4) == 4
    assert "places" in await store.explain(PLACED, within)


async def test_beside_a_range_everything_else_is_compared(store: ReadStore) -> None:
    await store.create(PLACED)
    people = [["ana"], ["ben"], ["ana", "ben"], []]
    documents = [
        placed(n, {"cost": f"{n:02}", "size": str(n % 5)}, open=n % 3 > 0, people=people[n % 4])
        for n in range(40)
    ]
    await write(store, Control(), *documents)
    large = Entered("places", "size", [("3", "4"), ("0", "1")])
    either = Entered("places", "size", [("3", "4")], "people", ["ben"])
    within = in_order("cost", ("10", "30"), limit=4)
    by_id = Query(model="placed", where={"org": "acme", "deleted": False}, sort="id", limit=40)

    assert await found(store, replace(within, entered=[large], residual={"open": True})) == (
        [10, 13, 20, 23],
        "acme:0023",
    )
    assert await found(store, replace(within, entered=[either, large])) == (
        [10, 13, 18, 23],
        "acme:0023",
    )
    assert await found(store, replace(within, holding=[("people", ["ben"])], limit=3)) == (
        [10, 13, 14],
        "acme:0014",
    )
    for query in (by_id, replace(by_id, among=[each.id for each in documents])):
        numbers, _ = await found(store, replace(query, entered=[either]))
        assert numbers == [n for n in range(40) if n % 5 == 3 or n % 4 in (1, 2)]
    walked = await found(store, asked("cost", entered=[large], above="20", limit=3))
    assert walked == ([20, 23, 25], "25!25")


async def test_ranges_are_of_one_name_and_of_no_span(store: ReadStore) -> None:
    await store.create(PLACED)
    query = in_order("cost", ("1", "2"))
    for wrong in (
        replace(query, sort="places"),
        replace(query, contains=("places", ["cost", "size"])),
        replace(query, span=("id", "a", "b")),
        replace(query, contains=None),
        replace(query, entered=[Entered("open", "cost", [("1", "2")])]),
    ):
        with pytest.raises(QueryRefused):
            await found(store, wrong)


async def test_entries_are_searched_for_one_name(store: ReadStore) -> None:
    await store.create(PLACED)
    with pytest.raises(QueryRefused):
        await found(store, replace(asked("cost"), contains=("places", ["cost", "size"])))
    assert "places" in await store.explain(PLACED, asked("cost"))
