"""The contract of the read-model port about leases and partitions, on every adapter."""

import pytest

from projections.engine.control import PartState
from projections.engine.store import (
    OutOfTurn,
)
from tests.projections.engine.things import filled, of, page, thing
from tests.projections.stores import Opened


async def test_one_holds_a_lease_until_it_is_given_back(opened_stores: Opened) -> None:
    one, two = opened_stores.another(), opened_stores.another()
    first = await one.lease("one", 30)

    assert first.keys() == {0}
    assert await two.lease("two", 30) == {}
    assert await one.lease("one", 30) == first
    await one.release("one")
    second = await two.lease("two", 30)
    assert second[0] > first[0]


async def test_each_partition_has_a_lease_of_its_own(opened_stores: Opened) -> None:
    one, two = opened_stores.another(), opened_stores.another()

    assert (await one.lease("one", 30, [0, 2])).keys() == {0, 2}
    assert (await two.lease("two", 30, [0, 1, 2, 3])).keys() == {1, 3}
    await one.release("one", [2, 3])
    assert (await two.lease("two", 30, [1, 2, 3])).keys() == {1, 2, 3}
    assert (await one.lease("one", 30, [0, 1, 2, 3])).keys() == {0}
    assert await one.lease("one", 30, []) == {}


async def test_who_lost_the_lease_writes_nothing_any_more(opened_stores: Opened) -> None:
    one, two = opened_stores.another(), opened_stores.another()
    old = await one.lease("one", 0)
    control = await filled(one, thing(1))
    new = await two.lease("two", 30)

    with pytest.raises(OutOfTurn):
        await one.write(of(control, thing(2), fence=old[0]))
    written = await two.write(of(control, thing(3), fence=new[0]))

    assert await one.control() == written
    assert (await page(two)).keys == [1, 3]


async def test_two_write_what_is_in_different_partitions_and_neither_waits(
    opened_stores: Opened,
) -> None:
    one, two = opened_stores.another(), opened_stores.another()
    [first], [second] = [
        (await store.lease(name, 30, [part])).values()
        for store, name, part in ((one, "one", 0), (two, "two", 1))
    ]
    control = await filled(one)
    begun = control.with_part(0, PartState(position=4)).with_part(1, PartState(position=7))

    await one.write(of(begun, thing(1), part=0, fence=first))
    await two.write(of(begun, thing(2), part=1, fence=second))

    found = await two.control()
    assert found is not None
    assert (found.position(0), found.position(1), found.head) == (4, 7, 4)
    assert found.revision == control.revision
    assert (await page(one)).keys == [1, 2]


async def test_only_who_knows_the_newest_state_of_a_partition_can_write_it(
    opened_stores: Opened,
) -> None:
    one, two = opened_stores.another(), opened_stores.another()
    old = await one.lease("one", 0, [3])
    control = (await filled(one)).with_part(3, PartState(position=4, behind={"things_v1_b1": 2}))
    first = await one.write(of(control, thing(1), part=3, fence=old[3]))

    with pytest.raises(OutOfTurn):
        await one.write(of(control, thing(2), part=3, fence=old[3]))
    new = await two.lease("two", 30, [3])
    with pytest.raises(OutOfTurn):
        await one.write(of(first, thing(3), part=3, fence=old[3]))
    second = await two.write(of(first, thing(4), part=3, fence=new[3]))

    assert await one.control() == second
    assert second.parts[3].token != first.parts[3].token
    assert second.parts[3].behind == {"things_v1_b1": 2}
    assert (await page(one)).keys == [1, 4]
