"""``rotate-master-key``: wrap every key and secret by the new MASTER_KEY."""

import asyncio

from cli.bars import watching
from cli.failure import CommandFailed
from cli.outages import outages_as_failures
from cli.running import settings_of_log
from eventstore.mode import LogClosed
from runtime.key_rotation import wrap_again
from runtime.settings import Settings
from runtime.system import derive_keys, open_log
from security.sealing import SealBroken


def run() -> int:
    """Wrap again what MASTER_PREVIOUS_KEY wrapped; return 0."""
    settings = settings_of_log()
    if not settings.master_previous_key:
        raise CommandFailed(
            "set MASTER_KEY to the new key and MASTER_PREVIOUS_KEY to the old one, restart the"
            " processes with both, then run this again",
            2,
        )
    with outages_as_failures():
        return asyncio.run(_rotate(settings))


async def _rotate(settings: Settings) -> int:
    keys = derive_keys(settings)
    async with open_log(settings, keys) as log:
        try:
            with watching("wrapping again") as watch:
                rotated = await wrap_again(log, keys.master, watch)
        except LogClosed as closed:
            raise CommandFailed(f"nothing may be written now: {closed}") from closed
        except SealBroken:
            raise CommandFailed(
                "a key or secret was changed in the database; nothing is lost,"
                " but it can only come from a backup"
            ) from None
    print(f"{rotated.wrapped} of {rotated.seen} keys and secrets were wrapped again")
    print(
        "remove MASTER_PREVIOUS_KEY and restart the processes; the old key is needed only for"
        " backups made before"
    )
    return 0
