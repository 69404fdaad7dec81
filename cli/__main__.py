"""``trackrecord``: the operator's command line.

Exit codes: 0 success, 1 it failed or found a problem, 2 wrong arguments or settings.
"""

import argparse
import sys
from collections.abc import Callable, Sequence

from cli import audit, backup, demo, doctor, migrate, processes, rebuild, up
from devstack import DevstackError
from eventstore.append import LogUnavailable, LogUnfit
from eventstore.backup.frame import BackupDamaged
from eventstore.backup.writing import BackupRefused
from runtime.listening import AddressTaken
from runtime.settings import SettingsInvalid
from runtime.system import StoreUnreachable

Run = Callable[[argparse.Namespace], int]
_OUTAGES = (DevstackError, StoreUnreachable, LogUnavailable)


def parser() -> argparse.ArgumentParser:
    """Return the parser of every command; docs/reference/cli.md is generated from it."""
    top = argparse.ArgumentParser(
        prog="trackrecord", description="Event-sourced task-management backend."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (up, processes, migrate, backup, rebuild, audit, doctor, demo):
        module.add_to(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    asked = parser().parse_args(arguments)
    run: Run = asked.run
    try:
        return run(asked)
    except SettingsInvalid as error:
        for problem in error.problems:
            print(f"setting {problem}", file=sys.stderr)
        return 2
    except LogUnfit as error:
        print(f"trackrecord: {error}", file=sys.stderr)
        return 2
    except (*_OUTAGES, BackupDamaged, BackupRefused, AddressTaken) as error:
        print(f"trackrecord: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
