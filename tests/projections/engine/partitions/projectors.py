"""Projectors that share the partitions of a log, each as in a process of its own."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

from domain.base import OrgId
from domain.work.label import LabelCreated
from eventstore.log import EventLog
from projections.base import Projection
from projections.catalog import PROJECTIONS
from projections.engine.control import Control
from projections.engine.digest import Digest, digest
from projections.engine.projector import Projector
from projections.engine.store import ReadStore, ReadStoreUnavailable
from projections.work.label import Labels
from tests.domain.spec import ANA, NOW
from tests.projections.spec import live, patient
from tests.projections.stores import Opened
from tests.spec import on, record

PARTS = 8
ORGANIZATIONS = [OrgId(UUID(int=7_000 + n)) for n in range(40)]


class Shares:
    """Says which of some projectors owns which partition, as a crew does."""

    def __init__(self, members: int) -> None:
        self.members = list(range(members))

    def of(self, member: int) -> Callable[[int], bool]:
        """Return what one of them owns."""
        return lambda part: (
            member in self.members and self.members[part % len(self.members)] == member
        )


class LabelsOfTomorrow(Labels):
    """A newer version of the same read model."""

    version = Labels.version + 1


async def found(log: EventLog, organizations: Sequence[OrgId]) -> None:
    """Record what is one document of each of some organizations."""
    for org_id in organizations:
        created = LabelCreated(name="Bug", color="#ff0000", created_by=ANA, created_at=NOW)
        await record(log, on(org_id, created, org_id=org_id))


async def digests(store: ReadStore) -> dict[str, Digest]:
    """Return what every live collection holds."""
    return {one.name: await digest(store, await live(store, one)) for one in PROJECTIONS}


def sharing(
    log: EventLog,
    stores: Opened,
    shares: Shares,
    projections: Sequence[Projection[Any]] = PROJECTIONS,
) -> list[Projector]:
    """Return a projector for each member, each as in a process of its own."""
    return [
        Projector(projections, log, stores.another(), patient, owns=shares.of(member))
        for member in shares.members
    ]


@asynccontextmanager
async def running(*projectors: Projector) -> AsyncGenerator[list["asyncio.Task[None]"]]:
    """Run *projectors* beside the block."""
    tasks = [asyncio.create_task(one.run()) for one in projectors]
    try:
        yield tasks
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(store: ReadStore, reached: Callable[[Control], bool]) -> Control:
    """Wait until the control record is as wanted, and return it."""
    async with asyncio.timeout(60):
        while True:
            with suppress(ReadStoreUnavailable):
                control = await store.control()
                if control is not None and control.serving and reached(control):
                    return control
            await asyncio.sleep(0.01)


async def until_at_the_end(store: ReadStore, log: EventLog) -> Control:
    """Wait until all read models hold everything that is in the log now."""
    heads = {part: await log.last_position(part) for part in range(log.parts)}
    return await until(store, lambda control: is_at(control, heads))


def is_at(control: Control, heads: dict[int, int]) -> bool:
    """Return whether all read models have reached these positions."""
    return all(
        control.reached(model, part) >= head
        for model in control.live_names
        for part, head in heads.items()
    )


def held(projector: Projector) -> set[int]:
    """Return the partitions whose leases a projector holds."""
    return set(projector._leases._fences)


async def until_held(projectors: Sequence[Projector], parts: Sequence[set[int]]) -> None:
    """Wait until each projector holds the leases of its own partitions."""
    async with asyncio.timeout(30):
        while True:
            if [held(one) for one in projectors] == list(parts):
                return
            await asyncio.sleep(0.01)
