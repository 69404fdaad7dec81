"""``move`` and ``read-only``: move the log to another database, and stop commands."""

import asyncio
from contextlib import closing
from typing import Literal

from cli.bars import watching
from cli.failure import CommandFailed
from cli.outages import outages_as_failures
from cli.recovery.backup import check_database, told
from cli.recovery.standstill import until_nobody_works
from cli.running import settings_of_log
from eventstore.backup.moving import LogMove
from eventstore.backup.open import open_database
from eventstore.mode import REASONS, LogMode
from eventstore.open import open_store, take_partitions
from runtime.system import without_password


def run_move(*, to: str) -> int:
    """Move the log; return 1 if the moved events do not match the signed tree heads.

    Parameters
    ----------
    to
        EVENTS_URL of an empty database; ?partitions=N gives the log another number of partitions.
    """
    settings = settings_of_log()
    with (
        outages_as_failures(),
        closing(open_database(settings.events_url)) as source,
        closing(open_database(to)) as target,
    ):
        _, parts = take_partitions(to)
        with watching("moving") as watch:
            move = LogMove(source, target, parts, watch)
            move.follow()
            move.stop_commands()
            asyncio.run(until_nobody_works(settings.events_url))
            move.finish()
        with target.snapshot() as snapshot:
            check = check_database(snapshot, settings)
        if told(check.problems()):
            return 1
        move.switch()
    print(
        f"the log is in {without_password(to)}, and {check.organizations} signed trees agree:"
        " put its address in EVENTS_URL and start the processes again"
    )
    return 0


def run_read_only(switch: Literal["on", "off"], /) -> int:
    """Stop or allow commands; return 0.

    Parameters
    ----------
    switch
        Whether commands are to be refused.
    """
    url = settings_of_log().events_url
    with outages_as_failures(), closing(open_store(url)) as store:
        store.open()
        mode = store.mode()
        if mode not in (LogMode.OPEN, LogMode.READ_ONLY):
            raise CommandFailed(f"the log takes no commands in any case: {REASONS[mode]}")
        store.set_mode(LogMode.READ_ONLY if switch == "on" else LogMode.OPEN)
    print("the log is read-only" if switch == "on" else "the log takes commands")
    return 0
