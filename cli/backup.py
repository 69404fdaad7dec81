"""``backup``, ``restore`` and ``verify-backup``: the event database in one file.

A backup holds the log with its keys, secrets, replies, claims, counts and signed tree heads, and
the state of webhook deliveries. MASTER_KEY and the JWT secrets are not in it: keep them elsewhere.
"""

import argparse
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

from audit.tree_check import TreeCheck
from audit.tree_signer import signer
from cli.progress import watching
from cli.running import settings_of_running
from domain.base import OrgId
from eventstore.backup.database import EVENTS_TABLE, Snapshot
from eventstore.backup.frame import BackupDamaged, Ending, Slice
from eventstore.backup.open import open_database
from eventstore.backup.reading import BackupFile
from eventstore.backup.restoring import compare_counts, restore_backup
from eventstore.backup.writing import write_backup
from eventstore.mode import LogMode
from runtime.settings import Settings, load_settings
from runtime.system import derive_keys, without_password

TREE_HEADS = "tree_heads"


def add_to(commands: Any) -> None:
    """Add the commands to the parser."""
    backup = commands.add_parser(
        "backup",
        help="write the event database to a file, while the system runs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    backup.add_argument("to", type=Path, metavar="TO", help="the file to write")
    backup.set_defaults(run=run_backup)
    restore = commands.add_parser(
        "restore", help="load a backup into the empty database that EVENTS_URL names"
    )
    restore.add_argument("file", type=Path, metavar="FROM", help="a file that `backup` wrote")
    restore.set_defaults(run=run_restore)
    verify = commands.add_parser(
        "verify-backup", help="check every byte of a backup, and its events against the tree heads"
    )
    verify.add_argument("file", type=Path, metavar="FROM", help="a file that `backup` wrote")
    verify.set_defaults(run=run_verify_backup)


def run_backup(asked: argparse.Namespace) -> int:
    """Write a backup; return 0."""
    url = load_settings(settings_of_running()).events_url
    with closing(open_database(url)) as database, watching("backing up") as watch:
        ending = write_backup(database, asked.to, watch)
    print(f"{asked.to}: {_contents(ending)}; check it with: trackrecord verify-backup {asked.to}")
    return 0


def run_verify_backup(asked: argparse.Namespace) -> int:
    """Check a backup; return 1 if a single byte of it was changed."""
    settings = load_settings(settings_of_running())
    return 0 if _verified(BackupFile(asked.file), asked.file, settings) else 1


def run_restore(asked: argparse.Namespace) -> int:
    """Check a backup, load it and check what was loaded; return 1 if anything does not agree."""
    settings = load_settings(settings_of_running())
    file = BackupFile(asked.file)
    ending = _verified(file, asked.file, settings)
    if ending is None:
        return 1
    with closing(open_database(settings.events_url)) as database:
        with watching("restoring") as watch:
            restore_backup(file, database, watch)
        compare_counts(database, ending)
        with database.snapshot() as snapshot:
            check = check_database(snapshot, settings)
        if told(check.problems()):
            return 1
        database.set_mode(LogMode.OPEN)
    print(f"{without_password(settings.events_url)} has what the backup has; start the processes")
    return 0


def _verified(file: BackupFile, path: Path, settings: Settings) -> Ending | None:
    """Return what a backup has, None after telling what is wrong with it."""
    try:
        ending = file.check()
        check = _check(file.slices(TREE_HEADS), file.slices(EVENTS_TABLE), settings)
    except (BackupDamaged, OSError) as error:
        told([f"{path}: {error}"])
        return None
    if told(check.problems()):
        return None
    print(f"{path}: {_contents(ending)}; {check.organizations} signed trees agree")
    return ending


def check_database(snapshot: Snapshot, settings: Settings) -> TreeCheck:
    """Compare every event of a database with its signed tree heads."""
    return _check(snapshot.slices(TREE_HEADS), _events(snapshot), settings)


def _check(heads: Iterable[Slice], events: Iterable[Slice], settings: Settings) -> TreeCheck:
    check = TreeCheck(signer(derive_keys(settings).audit).verifier)
    for found in heads:
        org_at, note_at = map(found.columns.index, ("org_id", "note"))
        for row in found.rows:
            check.add_head(OrgId(UUID(bytes=row[org_at])), row[note_at])
    for found in events:
        org_at, seq_at, state_at = map(found.columns.index, ("org_id", "org_seq", "state"))
        for row in found.rows:
            state: bytes | str = row[state_at]
            if isinstance(state, str):  # SQLite: somebody edited it as text
                state = state.encode()
            check.add_event(OrgId(UUID(bytes=row[org_at])), row[seq_at], state)
    return check


def _events(snapshot: Snapshot) -> Iterable[Slice]:
    for part in snapshot.heads():
        after = 0
        while (found := snapshot.events(part, after)).rows:
            yield found
            after = found.rows[-1][found.columns.index("position")]


def told(problems: list[str]) -> bool:
    """Print problems, if there are any; return whether there were."""
    for problem in problems:
        print(f"trackrecord: {problem}", file=sys.stderr)
    return bool(problems)


def _contents(ending: Ending) -> str:
    return f"{ending.counts.get(EVENTS_TABLE, 0)} events, {sum(ending.counts.values())} rows in all"
