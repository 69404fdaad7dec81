"""The process that derives: projectors of every read model, and the sealer of the audit tree."""

import asyncio
import logging

from audit.sealer import Sealer
from projections.catalog import PROJECTIONS
from projections.runner import Projector
from runtime.house import House, open_house
from runtime.outages import StoreOutage
from runtime.process import run_process, until_stopped
from runtime.settings import Settings

SEAL_EVERY_S = 1.0
"""How often at most the trees are signed while the log grows."""

_logger = logging.getLogger(__name__)


async def run_projectors(settings: Settings) -> None:
    """Keep every read model and every tree up to date until cancelled."""
    async with open_house(settings) as house:
        await project(house)


async def project(house: House) -> None:
    """Run the projectors and the sealer of a house that is open."""
    async with asyncio.TaskGroup() as group:
        for projection in PROJECTIONS:
            projector = Projector(projection, house.log, house.database, house.wakeups.wait)
            group.create_task(projector.run(), name=f"project {projection.name}")
        group.create_task(_seal(house.sealer, house), name="seal")


async def _seal(sealer: Sealer, house: House) -> None:
    while True:
        try:
            await sealer.seal_new()
        except StoreOutage as error:
            _logger.warning("trees are not signed for now: %s", error)
        await asyncio.sleep(SEAL_EVERY_S)


if __name__ == "__main__":
    run_process(until_stopped(run_projectors))
