"""Filters beside an index of texts, which SQLite answers by the sketches of documents first."""

from typing import Any

import pytest

from projections.engine.query import RESIDUAL_ROWS_MAX
from projections.engine.sqlite.sketch import TEXTS_MAX, bits_of_all
from projections.engine.store import ReadStore
from tests.projections.engine.things import filled, of, page, thing

EVERYBODY = [f"person {n}" for n in range(200)]


@pytest.fixture(params=[False, True], ids=["in slices", "all of few"])
def few(request: pytest.FixtureRequest) -> bool:
    """Whether the index is known to find few documents."""
    return bool(request.param)


async def test_what_looks_as_if_it_had_a_text_is_not_found(store: ReadStore, few: bool) -> None:
    assert bits_of_all(EVERYBODY) == (2**63 - 1, 2**63 - 1)
    people = [["ana", *EVERYBODY], ["ana", *EVERYBODY, "ben"]]
    people.append(["ana", *EVERYBODY, 'z","ben', 'y["ben"]'])
    people += [["ben", "ana"], ["cleo", 'q"', "ben"], ['"ben', "ana", *EVERYBODY]]
    people.append(["ben\\", "ana"])
    await filled(store, *(thing(n, people=each) for n, each in enumerate(people, 1)))

    async def found(*groups: list[str]) -> list[Any]:
        holding = [("people", group) for group in groups]
        return (await page(store, contains=("people", "ana"), holding=holding, few=few)).keys

    assert await found(["ben"]) == [2, 4]
    assert await found(["ben", 'z","ben']) == [2, 3, 4]
    assert await found(["ben"], [EVERYBODY[0]]) == [2]
    assert await found(["ben", '"ben']) == [2, 4, 6]
    assert await found(["ben\\", *[f"nobody {n}" for n in range(TEXTS_MAX)]]) == [7]
    assert await found(["nobody", "cleo"]) == []


async def test_a_sketch_changes_with_its_document(store: ReadStore, few: bool) -> None:
    things = [thing(n, people=["ana", "ben"], open=n > 2) for n in range(1, 5)]
    control = await filled(store, *things)
    changed = [thing(1, people=["ana", "ben"]), thing(3, people=["ana", "cleo"])]
    await store.write(of(control, *changed, thing(4, people=["ana", "ben"], deleted=True)))

    async def found(**asked: Any) -> list[Any]:
        return (await page(store, contains=("people", "ana"), few=few, **asked)).keys

    assert await found(holding=[("people", ["ben"])]) == [1, 2]
    assert await found(holding=[("people", ["cleo"])]) == [3]
    assert await found(residual={"open": True}) == [1, 3]
    assert await found(residual={"open": True}, holding=[("people", ["ben"])]) == [1]
    assert await found(residual={"open": True, "status": "DONE"}) == []


@pytest.mark.parametrize("descending", [False, True])
async def test_pages_of_few_documents_are_full_and_have_each_once(
    store: ReadStore, descending: bool
) -> None:
    rows = RESIDUAL_ROWS_MAX + 40
    people = [["ana", "ben"] if n % 100 == 0 else ["ana"] for n in range(rows)]
    await filled(store, *(thing(n, people=each) for n, each in enumerate(people)))
    beyond: dict[str, Any] = {}
    asked: dict[str, Any] = {
        "contains": ("people", "ana"),
        "holding": [("people", ["ben"])],
        "few": True,
        "limit": 4,
        "descending": descending,
    }

    first = await page(store, **asked)
    beyond["below" if descending else "above"] = first.next_key
    last = await page(store, **asked, **beyond)
    whole = await page(store, **asked | {"limit": 6})
    some = await page(store, **asked | {"contains": ("people", ["ana", "ben"]), "keyed": True})

    expected = [*range(0, rows, 100)]
    assert first.keys + last.keys == whole.keys == sorted(expected, reverse=descending)
    assert (last.next_key, whole.next_key) == (None, None)
    assert some.keys == first.keys
    assert some.next_key == first.next_key == first.keys[-1]
