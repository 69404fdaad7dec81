"""The tables of a log in SQL, for SQLite and PostgreSQL.

Every table has the partition in ``part``. An append locks the row of its partition in
``part_heads`` until the commit and takes the next positions from it; the row also says whether the
log takes commands.
"""

from collections.abc import Iterable, Mapping

SQLITE_TYPES = {
    "id": "BLOB",
    "bytes": "BLOB",
    "int": "INTEGER",
    "part": "INTEGER",
    "rowless": " WITHOUT ROWID",
}
POSTGRES_TYPES = {
    "id": "uuid",
    "bytes": "bytea",
    "int": "bigint",
    "part": "smallint",
    "rowless": "",
}
"""The SQL types by kind of column; SQLite keeps the rows of a ``rowless`` table in its key."""

ROWS_TOGETHER = 40
"""Rows of one statement of SQLite; to begin one costs a fifth of adding an event."""


class Insert:
    """The statement that adds rows to a table, whose columns come with their kinds.

    ``into`` is how it begins. ``of_values`` adds one row, ``of_many`` adds ``ROWS_TOGETHER``,
    ``of_arrays`` any number in one go: PostgreSQL takes an array for each column, where its driver
    spends 25 µs on each row of its own.
    """

    def __init__(self, table: str, columns: Mapping[str, str], conflict: str = "") -> None:
        self.into = into = f"INSERT INTO {table} ({', '.join(columns)})"
        arrays = (f"%b::{POSTGRES_TYPES.get(kind, kind)}[]" for kind in columns.values())
        row = f"({', '.join('?' * len(columns))})"
        self.of_values = f"{into} VALUES {row} {conflict}"
        self.of_many = f"{into} VALUES {', '.join([row] * ROWS_TOGETHER)} {conflict}"
        self.of_arrays = f"{into} SELECT * FROM unnest({', '.join(arrays)}) {conflict}"


RUN = 100
"""Events of one organization that one statement of SQLite adds."""


def insert_run(into: str) -> str:
    """Return the statement that adds ``RUN`` events which follow each other in one organization.

    Its parameters are the partition, the first position, the organization and the first sequence
    number, then the other columns of each event in order: Python binds six values for an event and
    not ten, which takes a quarter off the time of adding it.
    """
    rows = (
        f"(?1, ?2 + {row}, {', '.join(f'?{5 + row * 6 + column}' for column in range(5))},"
        f" ?3, ?4 + {row}, ?{10 + row * 6})"
        for row in range(RUN)
    )
    return f"{into} VALUES {', '.join(rows)}"


EVENTS = (
    "CREATE TABLE IF NOT EXISTS events ("
    " part {part} NOT NULL, position {int} NOT NULL,"
    " stream_id {id} NOT NULL, version {int} NOT NULL, tag TEXT NOT NULL,"
    " state {bytes} NOT NULL, private {bytes},"
    " org_id {id} NOT NULL, org_seq {int} NOT NULL, recorded_at {int} NOT NULL)",
    "CREATE UNIQUE INDEX IF NOT EXISTS events_by_position ON events (part, position)",
    "CREATE UNIQUE INDEX IF NOT EXISTS events_by_stream ON events (part, stream_id, version)",
    "CREATE UNIQUE INDEX IF NOT EXISTS events_by_organization ON events (part, org_id, org_seq)",
)

TABLES = (
    *EVENTS,
    "CREATE TABLE IF NOT EXISTS log_identity ("
    " part {part} PRIMARY KEY CHECK (part = 0), id {id} NOT NULL, epoch {int} NOT NULL,"
    " parts {int} NOT NULL)",
    "CREATE TABLE IF NOT EXISTS part_heads ("
    " part {part} PRIMARY KEY, position {int} NOT NULL, mode TEXT NOT NULL DEFAULT 'open')",
    "CREATE TABLE IF NOT EXISTS claims ("
    " part {part} NOT NULL, scope TEXT NOT NULL, within {id} NOT NULL, value {bytes} NOT NULL,"
    " holder {id} NOT NULL, free_at {int} NOT NULL, PRIMARY KEY (part, scope, within, value)"
    "){rowless}",
    "CREATE TABLE IF NOT EXISTS counts ("
    " part {part} NOT NULL, scope TEXT NOT NULL, within {id} NOT NULL, n {int} NOT NULL,"
    " PRIMARY KEY (part, scope, within)){rowless}",
    "CREATE TABLE IF NOT EXISTS subject_keys ("
    " part {part} NOT NULL, subject {id} NOT NULL, wrapped {bytes}, destroyed_at {int},"
    " PRIMARY KEY (part, subject)){rowless}",
    "CREATE TABLE IF NOT EXISTS secrets ("
    " part {part} NOT NULL, owner {id} NOT NULL, name TEXT NOT NULL, sealed {bytes} NOT NULL,"
    " PRIMARY KEY (part, owner, name)){rowless}",
    "CREATE TABLE IF NOT EXISTS idempotency_keys ("
    " part {part} NOT NULL, key_hash {bytes} NOT NULL, org_id {id} NOT NULL,"
    " request_hash {bytes} NOT NULL, event_id {id}, position {int} NOT NULL,"
    " used_at {int} NOT NULL, status {int}, version {int}, body {bytes}, secret {bytes},"
    " PRIMARY KEY (part, key_hash))",
    "CREATE INDEX IF NOT EXISTS idempotency_keys_by_reply"
    " ON idempotency_keys (part, used_at) WHERE body IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS idempotency_keys_by_secret"
    " ON idempotency_keys (part, used_at) WHERE secret IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS tree_heads ("
    " part {part} NOT NULL, org_id {id} NOT NULL, size {int} NOT NULL, frontier {bytes} NOT NULL,"
    " note TEXT NOT NULL, PRIMARY KEY (part, org_id, size))",
    "CREATE TABLE IF NOT EXISTS tree_nodes ("
    " part {part} NOT NULL, org_id {id} NOT NULL, level {int} NOT NULL, n {int} NOT NULL,"
    " hash {bytes} NOT NULL, PRIMARY KEY (part, org_id, level, n)){rowless}",
)

NO_REPLACING = (
    # One EXISTS per index: with OR inside one, SQLite would read the whole partition.
    "CREATE TRIGGER IF NOT EXISTS events_never_replaced BEFORE INSERT ON events WHEN"
    " EXISTS (SELECT 1 FROM events WHERE part = NEW.part AND position = NEW.position)"
    " OR EXISTS (SELECT 1 FROM events WHERE part = NEW.part AND stream_id = NEW.stream_id"
    " AND version = NEW.version)"
    " OR EXISTS (SELECT 1 FROM events WHERE part = NEW.part AND org_id = NEW.org_id"
    " AND org_seq = NEW.org_seq)"
    " OR EXISTS (SELECT 1 FROM events WHERE rowid = NEW.rowid)"
    " BEGIN SELECT RAISE(ABORT, 'events are immutable'); END"
)
"""The guard of SQLite against REPLACE.

REPLACE deletes conflicting rows without firing delete triggers, unless the connection has
``recursive_triggers`` on. The guard costs 3 µs per event, so the connection that appends fires no
triggers: its plain INSERT replaces nothing, because the unique indexes refuse what is there.
"""

_FIXED = (
    *("part", "position", "stream_id", "version", "tag", "state"),
    *("org_id", "org_seq", "recorded_at"),
)


def _fixed(row: str) -> str:
    """Return the columns of *row*, NEW or OLD, that no update may change.

    The sealed values may go, but only so: what is left of them is shorter.
    """
    return ", ".join(f"{row}.{column}" for column in _FIXED)


SQLITE_GUARDS = (
    "DROP TRIGGER IF EXISTS events_never_change",  # which also kept what is to be redacted
    "CREATE TRIGGER IF NOT EXISTS events_only_lose_values BEFORE UPDATE ON events WHEN"
    f" (NEW.rowid, {_fixed('NEW')}) IS NOT (OLD.rowid, {_fixed('OLD')})"
    " OR length(NEW.private) >= coalesce(length(OLD.private), 0)"
    " BEGIN SELECT RAISE(ABORT, 'events are immutable'); END",
    "CREATE TRIGGER IF NOT EXISTS events_never_go BEFORE DELETE ON events"
    " BEGIN SELECT RAISE(ABORT, 'events are immutable'); END",
    NO_REPLACING,
)

POSTGRES_GUARDS = (
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
    f" $$ BEGIN IF TG_OP = 'UPDATE' AND ({_fixed('NEW')}) IS NOT DISTINCT FROM ({_fixed('OLD')})"
    " AND (NEW.private IS NULL OR length(NEW.private) < length(OLD.private)) THEN RETURN NEW;"
    " END IF; RAISE EXCEPTION 'events are immutable'; END $$",
    "CREATE OR REPLACE TRIGGER events_never_change BEFORE UPDATE OR DELETE ON events"
    " FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE OR REPLACE TRIGGER events_never_go BEFORE TRUNCATE ON events"
    " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
)


DISTRIBUTED_GUARDS: tuple[str, ...] = ()
"""None: a table that is distributed has no triggers, and only roles protect its events."""


def table_name(statement: str) -> str:
    """Return the table that *statement* creates, "" if it creates something else."""
    named = statement.removeprefix("CREATE TABLE IF NOT EXISTS ")
    return "" if named == statement else named.partition(" ")[0]


def statements(names: Mapping[str, str], guards: Iterable[str]) -> list[str]:
    """Return the statements that create the missing parts of a log."""
    return [*(table.format(**names) for table in TABLES), *guards]


OLD_TABLE = "stored_events"
"""The table that only a log of 0.1 has."""

OLD_SHAPE = (
    "this database was written by Trackrecord 0.1, whose stored format this version does not read:"
    " name a new, empty database in EVENTS_URL, or keep using 0.1"
)
MAY_CHANGE = (
    "this process's database role could change and remove events, which at best a trigger prevents:"
    " use a separate role, prepared by `trackrecord migrate --grant ROLE`"
)
NOT_MIGRATED = (
    "this database has no log yet, or one of an older version: run `trackrecord migrate` once,"
    " then start again"
)
