"""The projector, the signing of trees and the delivery worker in one process, for a laptop."""

import asyncio

from runtime.process import run_process, until_stopped
from runtime.settings import Settings
from runtime.system import open_system
from workers.main import work
from workers.projecting import project, watch


async def run_followers(settings: Settings) -> None:
    """Do what ``project`` and ``work`` do, on one connection to each store, until cancelled."""
    async with open_system(settings) as system, asyncio.TaskGroup() as group:
        group.create_task(project(system), name="project")
        group.create_task(work(system), name="work")
        group.create_task(watch(system), name="watch")


if __name__ == "__main__":
    run_process(until_stopped(run_followers))
