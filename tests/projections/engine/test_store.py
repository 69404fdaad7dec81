"""The contract of the read-model port, on every adapter."""

from collections.abc import Sequence
from typing import Any

import pytest

from projections.engine.control import Collection, Control, Phase
from projections.engine.query import RESIDUAL_ROWS_MAX, Query, QueryRefused
from projections.engine.store import (
    Batch,
    OutOfTurn,
    Parked,
    ReadStore,
    ReadStoreUnavailable,
    ShapedCollection,
    Written,
)
from tests.projections.engine.things import SHAPE, THINGS, filled, of, page, thing
from tests.projections.stores import Opened


async def test_an_unwritten_value_reads_as_nothing(store: ReadStore) -> None:
    assert await store.control() is None
    assert await store.parked() == []


async def test_a_document_is_read_back_with_every_field_unchanged(store: ReadStore) -> None:
    full, empty = thing(1, people=["ana", "ben"]), thing(2, status=None, open=None, people=None)
    none = thing(3, people=[], open=False)
    await filled(store, full, empty, none)

    found = await store.load(THINGS, [full.id, empty.id, none.id, "acme:nobody"])

    assert sorted(found, key=lambda one: one.id) == [full, empty, none]


async def test_a_replaced_document_is_found_only_by_its_new_values(store: ReadStore) -> None:
    control = await filled(store, thing(1), thing(2))
    await store.write(of(control, thing(1, status="DONE", people=["ben", "cleo"], position=9)))

    assert (await page(store, contains=("people", "ana"))).keys == [2]
    assert (await page(store, contains=("people", "cleo"))).keys == [1]
    assert (await page(store, where={"status": "TODO"})).keys == [2]


async def test_the_same_batch_written_again_changes_nothing(store: ReadStore) -> None:
    control = await filled(store, thing(1), thing(2))
    before = await store.scan([THINGS], "", 10)
    await store.write(of(control, thing(1), thing(2)))

    assert await store.scan([THINGS], "", 10) == before
    assert (await page(store, contains=("people", "ana"))).keys == [1, 2]


async def test_documents_are_rendered_by_their_ids(store: ReadStore) -> None:
    await filled(store, thing(1), thing(2, deleted=True))

    found = await store.get_many(THINGS, ["acme:0001", "acme:0002", "other:0001"])

    assert sorted(found) == [
        ("acme:0001", b'{"number":1}', 1, False),
        ("acme:0002", b'{"number":2}', 1, True),
    ]


async def test_the_control_record_contains_what_was_written(store: ReadStore) -> None:
    collection = Collection(
        name="things_v1_b1",
        model="things",
        version=1,
        layout=SHAPE.layout,
        phase=Phase.BUILDING,
        since=4,
    )
    await store.create(THINGS)
    written = await store.write(of(Control(target={0: 3}, collections=(collection,))))

    assert written.revision == 1
    assert await store.control() == written


@pytest.mark.parametrize("descending", [False, True])
async def test_pages_follow_on_each_other_in_both_directions(
    store: ReadStore, descending: bool
) -> None:
    await filled(store, *[thing(n) for n in range(1, 24)], thing(99, org="other"))
    end = "below" if descending else "above"
    found: list[int] = []
    bound: dict[str, int] = {}
    while True:
        part = await page(store, descending=descending, limit=5, **bound)
        found += part.keys
        if part.next_key is None:
            break
        bound = {end: part.next_key}

    assert found == sorted(range(1, 24), reverse=descending)


async def test_a_full_last_page_says_that_there_are_no_more(store: ReadStore) -> None:
    await filled(store, thing(1), thing(2))

    assert (await page(store, limit=2)).next_key is None
    assert (await page(store, limit=1)).next_key == 1


async def test_both_ends_of_the_sort_key_can_be_bounded(store: ReadStore) -> None:
    await filled(store, *[thing(n) for n in range(1, 10)])

    assert (await page(store, above=3, below=6)).keys == [4, 5]


async def test_the_other_end_bounds_also_whether_there_are_more(store: ReadStore) -> None:
    await filled(store, *[thing(n) for n in range(1, 10)])

    for descending, next_key in ((False, 5), (True, 4)):
        whole = await page(store, above=3, below=6, limit=2, descending=descending)
        part = await page(store, above=2, below=6, limit=2, descending=descending)

        assert whole.next_key is None
        assert part.next_key == (next_key if descending else 4)


async def test_an_id_can_be_the_sort_key(store: ReadStore) -> None:
    await filled(store, thing(1), thing(2), thing(3))

    assert (await page(store, sort="id", above="acme:0001")).keys == ["acme:0002", "acme:0003"]


async def test_a_choice_of_values_is_one_list_in_order(store: ReadStore) -> None:
    statuses = ["TODO", "DONE", "LATER"]
    await filled(store, *[thing(n, status=statuses[n % 3]) for n in range(1, 13)])

    found = await page(store, either=("status", ["TODO", "DONE"]), limit=4, descending=True)

    assert found.keys == [12, 10, 9, 7]
    assert found.next_key == 7


async def test_a_residual_filter_is_compared_on_a_bounded_number_of_rows(store: ReadStore) -> None:
    many = range(1, RESIDUAL_ROWS_MAX + 51)
    await filled(store, *[thing(n, open=n > RESIDUAL_ROWS_MAX + 40 or n <= 20) for n in many])

    first = await page(store, residual={"open": True}, limit=15)
    rest = await page(store, residual={"open": True}, limit=15, above=first.next_key)
    last = await page(store, residual={"open": True}, limit=15, above=rest.next_key)

    assert first.keys == list(range(1, 16))
    assert rest.keys == [16, 17, 18, 19, 20]
    assert rest.next_key == 15 + RESIDUAL_ROWS_MAX
    assert last.keys == list(range(RESIDUAL_ROWS_MAX + 41, RESIDUAL_ROWS_MAX + 51))
    assert last.next_key is None


async def test_several_queries_are_answered_from_one_moment(store: ReadStore) -> None:
    await filled(store, thing(1), thing(2, status="DONE"))
    base: dict[str, Any] = {"org": "acme", "deleted": False}
    asked = [
        (THINGS, Query(model="things", where={**base, "status": s}, sort="number", limit=5))
        for s in ("TODO", "DONE")
    ]

    found = await store.find(asked)

    assert [one.json for one in found] == [b'{"number":1}', b'{"number":2}']


REFUSED: Sequence[dict[str, Any]] = [
    {"where": {"open": True}},
    {"sort": "position"},
    {"sort": "number", "contains": ("status", "TODO")},
    {"where": {"status": "TODO"}, "contains": ("people", "ana")},
    {"limit": 0},
    {"limit": 1_001},
    {"either": ("status", [])},
    {"either": ("status", ["x"] * 201)},
    {"where": {"status": "TODO"}, "either": ("status", ["TODO"])},
    {"residual": {"people": "ana"}},
]


@pytest.mark.parametrize("about", REFUSED, ids=str)
async def test_a_query_that_no_index_answers_is_refused(
    store: ReadStore, about: dict[str, Any]
) -> None:
    await filled(store, thing(1))

    with pytest.raises(QueryRefused):
        await page(store, **about)


async def test_a_batch_is_written_whole_or_not_at_all(store: ReadStore) -> None:
    control = await filled(store, thing(1))
    nobodys: Any = None

    with pytest.raises(ReadStoreUnavailable):
        await store.write(of(control, thing(1, status="DONE"), thing(2, org=nobodys)))

    assert await store.control() == control
    assert (await page(store, where={"status": "DONE"})).keys == []


async def test_only_a_writer_with_the_newest_control_record_can_write(store: ReadStore) -> None:
    first = await filled(store, thing(1))
    second = await store.write(of(first, thing(2)))

    with pytest.raises(OutOfTurn):
        await store.write(of(first, thing(3)))

    assert await store.control() == second
    assert (await page(store)).keys == [1, 2]


async def test_a_page_shows_what_was_written_since_it_was_read_last(
    opened_stores: Opened,
) -> None:
    one, two = opened_stores.another(), opened_stores.another()
    control = await filled(one, thing(1))

    assert [(await page(store)).keys for store in (one, two)] == [[1], [1]]
    control = await one.write(of(control, thing(2)))
    assert [(await page(store)).keys for store in (one, two)] == [[1, 2], [1, 2]]
    await two.write(of(control, thing(1, deleted=True)))
    assert [(await page(store)).keys for store in (one, two)] == [[2], [2]]


async def test_parked_documents_are_listed_until_they_are_repaired(store: ReadStore) -> None:
    control = await filled(store, thing(1))
    parked = Parked(
        collection="things_v1_b1", id="acme:0001", org="acme", org_seq=4, position=9, error="why"
    )
    control = await store.write(Batch(control=control, parked=[parked]))

    assert await store.parked() == [parked]
    await store.write(Batch(control=control, unparked=[parked]))
    assert await store.parked() == []


async def test_a_collection_is_deleted_in_pieces(store: ReadStore) -> None:
    await filled(store, *[thing(n) for n in range(1, 8)])
    pieces = 0
    while await store.drop_piece(THINGS.collection, 3):
        pieces += 1
        assert pieces < 20

    assert pieces >= 3
    await store.create(THINGS)
    assert (await page(store)).keys == []


async def test_collections_are_scanned_side_by_side(store: ReadStore) -> None:
    other = ShapedCollection("things_v1_b2", SHAPE)
    await store.create(THINGS)
    await store.create(other)
    written = [Written(THINGS, [thing(1), thing(2)]), Written(other, [thing(2)])]
    await store.write(Batch(control=Control(), written=written))

    assert await store.scan([THINGS, other], "", 1) == [[thing(1)], [thing(2)]]
    assert await store.scan([THINGS, other], "acme:0001", 5) == [[thing(2)], [thing(2)]]
