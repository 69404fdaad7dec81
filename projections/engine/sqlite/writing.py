"""Writes to the file: batches, views for people, and the end of collections."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from eventstore.engine.sqlite.driver import Database
from eventstore.identifiers import new_id
from projections.engine.control import Control, PartState
from projections.engine.sqlite import statements
from projections.engine.sqlite.rows import store_documents
from projections.engine.store import Batch, OutOfTurn

_encode = msgspec.json.Encoder().encode
_part = msgspec.json.Decoder(PartState).decode


def commit_batch(connection: Database, batch: Batch) -> tuple[Control, int]:
    """Write *batch* in one transaction; return the new control record, and the number of the write.

    :raises OutOfTurn: somebody else has written since it was read, or the lease is lost.
    """
    connection.execute("BEGIN IMMEDIATE")
    if batch.fence is not None:
        holding = "SELECT fence FROM leases WHERE part = ?"
        found = connection.execute(holding, (batch.part or 0,)).fetchall()
        if found != [(batch.fence,)]:
            raise OutOfTurn(f"the lease is held under fence {found}")
    if batch.part is None:
        after = _write_plan(connection, batch.control)
    else:
        after = _write_part(connection, batch.control, batch.part)
    for target, documents, _ in batch.written:
        store_documents(connection, target, documents)
    for one in batch.unparked:
        key = (one.collection, one.id)
        connection.execute("DELETE FROM parked WHERE collection = ? AND id = ?", key)
    for one in batch.parked:
        row = (one.collection, one.id, _encode(one).decode())
        connection.execute("INSERT INTO parked VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row)
    [(written,)] = connection.execute("UPDATE writes SET n = n + 1 RETURNING n").fetchall()
    connection.execute("COMMIT")
    return after, written


def _write_plan(connection: Database, control: Control) -> Control:
    found = connection.execute("SELECT revision FROM control").fetchall()
    revision = found[0][0] if found else 0
    if revision != control.revision:
        raise OutOfTurn(f"revision {revision} instead of {control.revision}")
    after = replace(control, revision=revision + 1)
    connection.execute(
        "INSERT INTO control VALUES (1, ?, ?) ON CONFLICT (one) DO UPDATE"
        " SET revision = excluded.revision, body = excluded.body",
        (after.revision, _encode(replace(after, parts={})).decode()),
    )
    return after


def _write_part(connection: Database, control: Control, part: int) -> Control:
    read = control.part(part)
    reading = "SELECT body FROM parts WHERE part = ?"
    found = [_part(body) for (body,) in connection.execute(reading, (part,)).fetchall()]
    if (found[0].token if found else "") != read.token:
        raise OutOfTurn(f"somebody else has written what is in partition {part}")
    after = replace(read, token=new_id().hex)
    connection.execute(
        "INSERT INTO parts VALUES (?, ?) ON CONFLICT (part) DO UPDATE SET body = excluded.body",
        (part, _encode(after).decode()),
    )
    return control.with_part(part, after)


def show_views(connection: Database, live: Mapping[str, str]) -> None:
    """Let a view named after each model show its live collection, and drop those of the past."""
    connection.execute("BEGIN IMMEDIATE")
    found = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'view'").fetchall()
    views = {name: made for name, made in found if statements.is_of_model(name, made)}
    wanted = {name: statements.view(name, collection) for name, collection in live.items()}
    for name, _ in views.items() - wanted.items():
        connection.execute(f"DROP VIEW {statements.quoted(name)}")
    for _, made in wanted.items() - views.items():
        connection.execute(made)
    connection.execute("COMMIT")


def drop_rows(connection: Database, collection: str, limit: int) -> bool:
    """Delete at most *limit* rows of each table of a collection; return whether any were left."""
    connection.execute("BEGIN IMMEDIATE")
    named = "SELECT name FROM sqlite_master WHERE type = 'table' AND (name = ? OR name GLOB ?)"
    tables = [t for (t,) in connection.execute(named, (collection, f"{collection}__*"))]
    left = 0
    for table in map(statements.quoted, tables):
        # Those of indexes of texts have no other number than what they are sorted by.
        key = "(mark, sort, row)" if f"{collection}__by_" in table else "row"
        some = f"SELECT {key.strip('()')} FROM {table} LIMIT ?"
        connection.execute(f"DELETE FROM {table} WHERE {key} IN ({some})", (limit,))
        left += connection.changes()
    if not left:
        for table in map(statements.quoted, tables):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DELETE FROM parked WHERE collection = ?", (collection,))
    connection.execute("COMMIT")
    return bool(left)
