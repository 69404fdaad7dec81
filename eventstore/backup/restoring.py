"""Restores a backup into an empty database; an interrupted restore can be resumed."""

from uuid import UUID

from eventstore.backup.database import EVENTS_TABLE, OPERATIONAL_TABLES, EventDatabase
from eventstore.backup.frame import BackupDamaged, Beginning, Ending, Slice
from eventstore.backup.reading import BackupFile
from eventstore.backup.writing import BackupRefused, Watch
from eventstore.mode import LogMode
from eventstore.store import LogIdentity

EXISTS = "the database already has a log: name a new, empty database in EVENTS_URL"
ANOTHER = "the database has an unfinished restore of another backup: name an empty database"


def restore_backup(file: BackupFile, database: EventDatabase, watch: Watch) -> None:
    """Load all of *file*; the log takes no commands until ``set_mode`` opens it.

    :raises BackupRefused: the database has a log, or part of another one.
    :raises BackupDamaged: the file differs from what was written.
    """
    beginning = file.beginning()
    identity = LogIdentity(UUID(bytes=beginning.log), beginning.epoch)
    summary = database.summary()
    if summary is not None and summary.mode is not LogMode.RESTORING:
        raise BackupRefused(EXISTS)
    if summary is not None and (summary.identity, summary.parts) != (identity, beginning.parts):
        raise BackupRefused(ANOTHER)
    database.create(identity, beginning.parts)
    done = database.progress()
    if done is None:  # an operational file may be left over from a log that was deleted
        database.clear(OPERATIONAL_TABLES)
    counts: dict[str, int] = {}
    for frame, number in file.frames():
        if done is not None:
            if number == done:
                done = None
            elif _number(number) >= _number(done):
                raise BackupRefused(ANOTHER)
        elif not isinstance(frame, Beginning):
            slices = [frame] if isinstance(frame, Slice) else []
            database.load(slices, _heads(frame), number)
        if isinstance(frame, Slice):
            counts[frame.table] = counts.get(frame.table, 0) + len(frame.rows)
            watch(frame.table, counts[frame.table])


def compare_counts(database: EventDatabase, ending: Ending) -> None:
    """Compare the number of rows in each table with the backup.

    :raises BackupDamaged: a table has more or fewer rows.
    """
    with database.snapshot() as snapshot:
        found = {table: snapshot.count(table) for table in ending.counts}
        heads = snapshot.heads()
    if found != ending.counts:
        raise BackupDamaged(f"the tables should have {ending.counts} rows, but have {found}")
    if heads != ending.heads:
        raise BackupDamaged(f"the newest positions should be {ending.heads}, but are {heads}")


def _heads(frame: Slice | Ending) -> dict[int, int]:
    if isinstance(frame, Ending):
        return frame.heads
    if frame.table != EVENTS_TABLE:
        return {}
    part_at, position_at = frame.columns.index("part"), frame.columns.index("position")
    return {row[part_at]: row[position_at] for row in frame.rows}


def _number(progress: str) -> int:
    return int(progress.partition(":")[0])
