"""The projector process: keeps every read model up to date and signs the audit trees."""

import asyncio
import logging

from audit.tree_signer import TreeSigner
from eventstore.operations.crew import Crew, crew_joined, slot_of
from eventstore.operations.ticks import tick
from projections.catalog import PROJECTIONS
from projections.engine.progress import Progress
from projections.engine.projector import Projector
from runtime.health.metrics_port import metrics_shown
from runtime.health.monitor import Monitor
from runtime.log_guard import guarded
from runtime.outages import StoreOutage
from runtime.process import run_process, until_stopped
from runtime.settings import Settings
from runtime.system import System, open_system

_VERSION = repr([(one.name, one.version, one.shape.layout) for one in PROJECTIONS])
PROJECTOR_CREW = f"projectors {slot_of(_VERSION):08x}"
"""The crew of the processes that do what this one does: those with other versions of the read
models share nothing with them, and leave them the partitions as they end."""

SEAL_EVERY_S = 1.0
"""How often at most the trees are signed while the log grows."""

_logger = logging.getLogger(__name__)


async def run_projectors(settings: Settings) -> None:
    """Keep every read model and every tree up to date until cancelled."""
    async with open_system(settings) as system, asyncio.TaskGroup() as group:
        group.create_task(project(system), name="project")
        group.create_task(watch(system), name="watch")


async def watch(system: System) -> None:
    """Log what stalls, moves again or catches up, and each outage of a store; show the metrics."""
    monitor = Monitor(system, Progress(system.read_store, system.log))
    async with metrics_shown(system, monitor):
        await monitor.run()


async def project(system: System) -> None:
    """Run the projector and the tree signer of an open system, for the partitions that are ours."""
    async with (
        guarded(system),
        crew_joined(system.operations, PROJECTOR_CREW) as crew,
        asyncio.TaskGroup() as tasks,
    ):
        wakeups = system.wakeups
        projector = Projector(
            PROJECTIONS,
            system.log,
            system.read_store,
            wakeups.listener(),
            owns=crew.owns,
            is_woken=lambda: wakeups.hears,
        )
        tasks.create_task(projector.run(), name="project")
        tasks.create_task(_seal(system.tree_signer, crew), name="seal")


async def _seal(tree_signer: TreeSigner, crew: Crew) -> None:
    while True:
        try:
            await tree_signer.seal_new(crew.owns)
        except StoreOutage as error:
            _logger.warning("trees are not signed at the moment: %s", error)
        await tick(SEAL_EVERY_S)


if __name__ == "__main__":
    run_process(until_stopped(run_projectors))
