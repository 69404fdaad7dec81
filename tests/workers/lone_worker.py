"""A worker process for tests that kill one: settings come from the environment."""

import asyncio

from runtime.settings import load_settings
from runtime.system import open_system
from tests.workers.stage import QUICK
from workers.deliveries import Deliveries


async def main() -> None:
    """Deliver until killed."""
    async with open_system(load_settings()) as system:
        await Deliveries(system, schedule=QUICK).run()


if __name__ == "__main__":
    asyncio.run(main())
