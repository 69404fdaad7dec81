"""A mail worker for tests that kill one: settings come from the environment."""

import asyncio

from runtime.settings import load_settings
from runtime.system import open_system
from workers.mailing import Mailing


async def main() -> None:
    """Send mails until killed."""
    async with open_system(load_settings()) as system:
        await Mailing(system, lease_s=1.0).run()


if __name__ == "__main__":
    asyncio.run(main())
