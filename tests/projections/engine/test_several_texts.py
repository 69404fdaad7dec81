"""Lists of what contains one of several texts, each of which the index answers."""

import pytest

from projections.engine.query import QueryRefused
from projections.engine.store import ReadStore
from tests.projections.engine.things import filled, page, thing


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
