"""Turns exceptions of stores into one-sentence errors for operators."""

from collections.abc import Generator
from contextlib import contextmanager

from cli.failure import CommandFailed
from eventstore.append import LogUnfit
from eventstore.backup.frame import BackupDamaged
from eventstore.backup.writing import BackupRefused
from runtime.outages import StoreOutage
from runtime.system import StoreUnreachable


@contextmanager
def outages_as_failures() -> Generator[None]:
    """Turn exceptions of stores into ``CommandFailed``: 2 for a wrong store, 1 if it is down.

    :raises CommandFailed: a store did not answer, or this version cannot use it.
    """
    try:
        yield
    except LogUnfit as error:
        raise CommandFailed(str(error), 2) from error
    except (StoreUnreachable, *StoreOutage, BackupDamaged, BackupRefused) as error:
        raise CommandFailed(str(error)) from error
