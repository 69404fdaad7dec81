"""Lists of what contains one of several texts, each of which the index answers."""

from typing import Any

import pytest
from msgspec.structs import replace

from projections.engine.query import Query, QueryRefused
from projections.engine.sizes import KNOWN_S, Remembered, SizeKey, size_key
from projections.engine.sqlite.sketch import TEXTS_MAX
from projections.engine.store import ReadStore
from tests.projections.engine.things import THINGS, filled, page, thing


async def test_what_contains_several_of_the_texts_is_found_once_in_its_place(
    store: ReadStore,
) -> None:
    people: list[list[str]] = [["ben", "ana"], ["cleo"], ["dan"], ["cleo", "ben"], []]
    people.append(["ana", "cleo", "ben"])
    await filled(store, *(thing(n, people=each) for n, each in enumerate(people, 1)))
    asked = ("people", ["ana", "ben", "cleo"])

    assert (await page(store, contains=asked)).keys == [1, 2, 4, 6]
    assert (await page(store, contains=asked, descending=True, limit=2)).keys == [6, 4]
    assert (await page(store, contains=asked, above=2)).keys == [4, 6]
    assert (await page(store, contains=("people", ["dan"]))).keys == [3]
    filtered = await page(store, contains=asked, holding=[("people", ["cleo"])])
    assert filtered.keys == [2, 4, 6]
    with pytest.raises(QueryRefused):
        await page(store, contains=("people", [str(n) for n in range(401)]))


@pytest.mark.parametrize("more", [0, TEXTS_MAX])
@pytest.mark.parametrize("few", [False, True])
async def test_of_several_texts_those_that_only_seem_to_be_there_are_not_left_out(
    store: ReadStore, more: int, few: bool
) -> None:
    people = [["b"], ['b"'], ["b", 'b"', "b\\"], ['x","b'], ["b\\", "c"], ["ab", "c"], ["c", "b"]]
    await filled(store, *(thing(n, people=each) for n, each in enumerate(people, 1)))
    asked = ["b", 'b"', "b\\", 'x","b', "c", *[f"nobody {n}" for n in range(more)]]

    first = await page(store, contains=("people", asked), limit=4, few=few)
    rest = await page(store, contains=("people", asked), limit=4, above=first.next_key)
    some = await page(store, contains=("people", asked), holding=[("people", ["c"])], few=few)

    assert first.keys + rest.keys == [1, 2, 3, 4, 5, 6, 7]
    assert (first.next_key, rest.next_key) == (4, None)
    assert some.keys == [5, 6, 7]


async def test_how_many_documents_an_index_finds_is_counted_up_to_a_limit(store: ReadStore) -> None:
    people = [["ana"], ["ana", "ben"], ["ben"], ["cleo"], ["ana"]]
    await filled(store, *(thing(n, people=each) for n, each in enumerate(people, 1)))
    query = Query(
        model="things",
        where={"org": "acme", "deleted": False},
        contains=("people", "ana"),
        sort="number",
        limit=1,
        above=4,
        holding=[("people", ["cleo"])],
    )

    assert await store.count(THINGS, query, 10) == 3
    assert await store.count(THINGS, query, 2) == 2
    assert await store.count(THINGS, replace(query, contains=("people", "dan")), 10) == 0
    assert await store.count(THINGS, replace(query, contains=("people", ["ben", "cleo"])), 9) == 3


def test_a_size_is_known_for_some_seconds_whatever_the_order() -> None:
    now = 0.0
    sizes = Remembered[SizeKey, int](lambda: now)
    query = Query(
        model="things", where={"org": "acme"}, contains=("people", "a"), sort="n", limit=1
    )
    key = size_key("things_v1", query)

    sizes.keep(key, 7)

    assert sizes.get(size_key("things_v1", replace(query, sort="id", above=3, limit=9))) == 7
    assert sizes.get(size_key("things_v2", query)) is None
    assert sizes.get(size_key("things_v1", replace(query, contains=("people", "b")))) is None
    now = KNOWN_S
    assert sizes.get(key) is None


@pytest.mark.parametrize("descending", [False, True])
async def test_texts_are_looked_up_beside_those_that_the_index_answers(
    store: ReadStore, descending: bool
) -> None:
    people = [["ana", "ben"], ["ana"], ["ben"], ["ana", "cleo"], ["ana", "ben", "cleo"]]
    await filled(store, *(thing(n, people=each) for n, each in enumerate(people, 1)))

    async def found(**asked: Any) -> list[Any]:
        keys = [*(await page(store, descending=descending, **asked)).keys]
        return keys[::-1] if descending else keys

    assert await found(contains=("people", "ana"), holding=[("people", ["ben"])]) == [1, 5]
    either = [("people", ["ben", "cleo"])]
    assert await found(contains=("people", "ana"), holding=either) == [1, 4, 5]
    both = [("people", ["ben"]), ("people", ["cleo"])]
    assert await found(contains=("people", "ana"), holding=both) == [5]
    assert await found(contains=("people", ["ana", "ben"]), holding=either) == [1, 3, 4, 5]
    assert await found(contains=("people", "dan"), holding=either) == []
