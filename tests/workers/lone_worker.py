"""A worker process for tests that kill one: settings come from the environment."""

import asyncio

from runtime.house import open_house
from runtime.settings import load_settings
from tests.workers.stage import QUICK
from workers.deliveries import Deliveries

LEASE_S = 1.0


async def main() -> None:
    """Deliver until killed."""
    async with open_house(load_settings()) as house:
        await Deliveries(house, schedule=QUICK, lease_s=LEASE_S).run()


if __name__ == "__main__":
    asyncio.run(main())
