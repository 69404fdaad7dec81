"""The few documents within a span of one field are listed in the order of another."""

from typing import Any

import pytest

from projections.engine.query import Query, QueryRefused
from projections.engine.store import ReadStore
from projections.shape import Value
from tests.projections.engine.things import THINGS, filled, page, thing


async def test_what_is_within_a_span_is_listed_in_another_order(store: ReadStore) -> None:
    # The id of thing 1 is the highest: ids and numbers are in opposite orders.
    things = [thing(n, status="TODO" if n % 2 else "DONE") for n in range(1, 30)]
    for one in things:
        number = one.fields["number"]
        assert isinstance(number, int)
        one.fields["number"] = 100 - number
    await filled(store, *things)

    whole = await page(store, sort="id", span=("number", 80, 95), limit=50)
    first = await page(store, sort="id", span=("number", 80, 95), limit=5)
    rest = await page(store, sort="id", span=("number", 80, 95), limit=5, above=first.next_key)
    last = await page(store, sort="id", span=("number", None, 95), limit=3, descending=True)
    some = await page(
        store, sort="id", span=("number", 80, 95), within=[("status", [("D", "E")])], limit=3
    )

    assert whole.keys == [f"acme:{n:04}" for n in range(6, 20)]
    assert whole.next_key is None
    assert first.keys + rest.keys == whole.keys[:10]
    assert (first.next_key, rest.next_key) == (whole.keys[4], whole.keys[9])
    assert last.keys == ["acme:0029", "acme:0028", "acme:0027"]
    assert some.keys == ["acme:0006", "acme:0008", "acme:0010"]


async def test_beside_a_span_texts_are_looked_up(store: ReadStore) -> None:
    await filled(store, *[thing(n, people=["ana", "ben"][: n % 3]) for n in range(1, 30)])

    both = [("people", ["ana"]), ("people", ["ben", "cleo"])]
    found = await page(store, sort="id", span=("number", 10, 20), holding=both, limit=3)

    assert found.keys == ["acme:0011", "acme:0014", "acme:0017"]
    assert found.next_key is None


async def test_what_is_within_a_span_is_counted_up_to_a_limit(store: ReadStore) -> None:
    await filled(store, *[thing(n) for n in range(1, 30)])
    base: dict[str, Value] = {"org": "acme", "deleted": False}
    query = Query(model="things", where=base, sort="id", limit=5, span=("number", 10, 20))

    assert await store.count(THINGS, query, 100) == 9
    assert await store.count(THINGS, query, 4) == 4


@pytest.mark.parametrize("descending", [False, True])
async def test_what_has_a_text_within_a_span_is_gathered_in_another_order(
    store: ReadStore, descending: bool
) -> None:
    people = [["ana", "ben"], ["ana"], ["ben"], ["ana", "cleo", "ben"]]
    things = [thing(n, people=people[n % 4], open=n % 3 > 0) for n in range(1, 40)]
    for one in things:  # ids and numbers are in opposite orders
        one.fields["number"] = 100 - int(one.id[-4:])
    await filled(store, *things)
    asked: dict[str, Any] = {"contains": ("people", "ana"), "span": ("number", 65, 95)}
    asked |= {"sort": "id", "descending": descending, "limit": 3}
    asked |= {"residual": {"open": True}, "holding": [("people", ["ben", "dan"])]}

    whole = await page(store, **asked | {"limit": 20})
    first = await page(store, **asked)
    behind: dict[str, Any] = {"below" if descending else "above": first.next_key}
    rest = await page(store, **asked | {"limit": 20} | behind)
    wide = [("people", ["ben", *(f"nobody {n}" for n in range(9))])]
    by_many = await page(store, **asked | {"limit": 20, "holding": wide})
    both = {"contains": ("people", ["ana", "dan"]), "apart": True, "limit": 20}
    found = asked | {"residual": {}, "holding": ()}

    kept = [n for n in range(6, 35) if n % 4 in {0, 3} and n % 3]
    assert whole.keys == sorted([f"acme:{n:04}" for n in kept], reverse=descending)
    assert whole.next_key is None
    assert first.keys + rest.keys == by_many.keys == whole.keys
    assert (await page(store, **asked | both)).keys == whole.keys
    assert await _count(store, **found) == len([n for n in range(6, 35) if n % 4 != 2])
    assert len(kept) <= await _count(store, **asked) <= await _count(store, **found)


async def _count(store: ReadStore, **asked: Any) -> int:
    where: dict[str, Value] = {"org": "acme", "deleted": False}
    return await store.count(THINGS, Query(model="things", where=where, **asked), 100)


async def test_a_span_takes_no_other_filter(store: ReadStore) -> None:
    await filled(store, thing(1))

    with pytest.raises(QueryRefused):
        await page(store, sort="id", span=("number", 1, 3), residual={"open": True})
    with pytest.raises(QueryRefused):  # some would be found twice
        await page(store, sort="id", span=("number", 1, 3), contains=("people", ["ana", "ben"]))
    with pytest.raises(QueryRefused):  # there is no such index
        await page(store, sort="id", span=("status", "A", None), contains=("people", "ana"))
