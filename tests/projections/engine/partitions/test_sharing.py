"""Several projectors share the partitions of a log, whatever happens to one of them."""

import asyncio
from contextlib import suppress
from uuid import UUID

import pytest

from domain.base import OrgId
from eventstore.log import EventLog
from projections.catalog import PROJECTIONS
from projections.engine.projector import Projector
from projections.engine.store import OutOfTurn, ReadStore
from tests.projections.engine.partitions.projectors import (
    PARTS,
    Shares,
    digests,
    found,
    held,
    running,
    sharing,
    until_at_the_end,
    until_held,
)
from tests.projections.spec import patient, project_all
from tests.projections.stores import Opened


async def test_projectors_that_share_the_partitions_write_what_one_alone_would(
    log: EventLog, opened_stores: Opened, reference: ReadStore
) -> None:
    projectors = sharing(log, opened_stores, Shares(3))
    async with running(*projectors):
        await until_held(projectors, [{0, 3, 6}, {1, 4, 7}, {2, 5}])
        await found(log, [OrgId(UUID(int=8_000 + n)) for n in range(20)])
        await until_at_the_end(opened_stores.another(), log)
    await project_all(log, reference)

    assert await digests(opened_stores.another()) == await digests(reference)


async def test_one_that_comes_and_one_that_goes_change_the_shares(
    log: EventLog, opened_stores: Opened, reference: ReadStore
) -> None:
    shares = Shares(2)
    projectors = sharing(log, opened_stores, shares)
    store = opened_stores.another()
    async with running(*projectors) as tasks:
        await until_at_the_end(store, log)
        shares.members.append(2)
        third = Projector(PROJECTIONS, log, opened_stores.another(), patient, owns=shares.of(2))
        async with running(third):
            await until_held([*projectors, third], [{0, 3, 6}, {1, 4, 7}, {2, 5}])
            await found(log, [OrgId(UUID(int=8_000 + n)) for n in range(20)])
            tasks[0].cancel()  # the one that leads
            shares.members.remove(0)
            await until_held([projectors[1], third], [{0, 2, 4, 6}, {1, 3, 5, 7}])
            await found(log, [OrgId(UUID(int=9_000 + n)) for n in range(20)])
            await until_at_the_end(store, log)
    await project_all(log, reference)

    assert await digests(store) == await digests(reference)


@pytest.mark.servers  # it waits until the leases of a process that is gone have run out
async def test_the_partitions_of_one_that_is_gone_are_taken_over(
    log: EventLog, opened_stores: Opened, reference: ReadStore
) -> None:
    shares, store = Shares(2), opened_stores.another()
    gone, other = sharing(log, opened_stores, shares)
    async with running(other):
        async with asyncio.timeout(30):
            while True:
                if not await gone.step() and held(gone) == {0, 2, 4, 6}:
                    break
                await asyncio.sleep(0.01)
        await found(log, [OrgId(UUID(int=8_000 + n)) for n in range(20)])
        shares.members.remove(0)
        await until_held([other], [set(range(PARTS))])
        await until_at_the_end(store, log)

        with suppress(OutOfTurn):
            assert not await gone.step()  # it has nothing to say any more
    await project_all(log, reference)

    assert await digests(store) == await digests(reference)
