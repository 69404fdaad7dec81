"""``backup``, ``restore`` and ``verify-backup``: the event database in one file.

A backup holds the log with its keys, secrets, replies, claims, counts and signed tree heads, and
the state of webhook deliveries. MASTER_KEY, LOG_SECRET and the JWT secrets are not in it: keep them
elsewhere.
"""

import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from uuid import UUID

from audit.tree_check import TreeCheck
from audit.tree_signer import signer
from cli.bars import watching
from cli.outages import outages_as_failures
from cli.running import settings_of_log, settings_of_running
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


def run_backup(to: Path, /) -> int:
    """Write a backup; return 0.

    Parameters
    ----------
    to
        File to write.
    """
    url = settings_of_log().events_url
    with (
        outages_as_failures(),
        closing(open_database(url)) as database,
        watching("backing up") as watch,
    ):
        ending = write_backup(database, to, watch)
    print(f"{to}: {_contents(ending)}; check it with: trackrecord verify-backup {to}")
    return 0


def run_verify_backup(file: Path, /) -> int:
    """Check a backup; return 1 if a single byte of it was changed.

    Parameters
    ----------
    file
        A file that `backup` wrote.
    """
    settings = load_settings(settings_of_running(), generate_secrets=False)
    return 0 if _verified(BackupFile(file), file, settings) else 1


def run_restore(file: Path, /) -> int:
    """Verify a backup, load it and verify the result; return 1 if anything does not match."""
    settings = load_settings(settings_of_running(), generate_secrets=False)
    backup = BackupFile(file)
    ending = _verified(backup, file, settings)
    if ending is None:
        return 1
    with outages_as_failures(), closing(open_database(settings.events_url)) as database:
        with watching("restoring") as watch:
            restore_backup(backup, database, watch)
        compare_counts(database, ending)
        with database.snapshot() as snapshot:
            check = check_database(snapshot, settings)
        if told(check.problems()):
            return 1
        database.set_mode(LogMode.OPEN)
    print(f"{without_password(settings.events_url)} has what the backup has; start the processes")
    return 0


def _verified(file: BackupFile, path: Path, settings: Settings) -> Ending | None:
    """Return the contents of a backup, or None after printing what is wrong with it."""
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
