"""Writes to the file: batches, views for people, and the end of collections."""

import sqlite3
from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from projections.engine.control import Control
from projections.engine.sqlite import statements
from projections.engine.sqlite.rows import store_documents
from projections.engine.store import Batch, OutOfTurn

_encode = msgspec.json.Encoder().encode


def commit_batch(connection: sqlite3.Connection, batch: Batch) -> Control:
    """Write *batch* in one transaction and return the new control record.

    :raises OutOfTurn: the revision is no longer the one that was read, or the lease is lost.
    """
    connection.execute("BEGIN IMMEDIATE")
    found = connection.execute("SELECT revision FROM control").fetchall()
    revision = found[0][0] if found else 0
    if revision != batch.control.revision:
        raise OutOfTurn(f"revision {revision} instead of {batch.control.revision}")
    if batch.fence is not None:
        [(fence,)] = connection.execute("SELECT fence FROM lease").fetchall()
        if fence != batch.fence:
            raise OutOfTurn(f"the lease is held under fence {fence}")
    for target, documents in batch.written:
        store_documents(connection, target, documents)
    for one in batch.unparked:
        key = (one.collection, one.id)
        connection.execute("DELETE FROM parked WHERE collection = ? AND id = ?", key)
    for one in batch.parked:
        row = (one.collection, one.id, _encode(one).decode())
        connection.execute("INSERT INTO parked VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row)
    after = replace(batch.control, revision=revision + 1)
    connection.execute(
        "INSERT INTO control VALUES (1, ?, ?) ON CONFLICT (one) DO UPDATE"
        " SET revision = excluded.revision, body = excluded.body",
        (after.revision, _encode(after).decode()),
    )
    connection.execute("COMMIT")
    return after


def show_views(connection: sqlite3.Connection, live: Mapping[str, str]) -> None:
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


def drop_rows(connection: sqlite3.Connection, collection: str, limit: int) -> bool:
    """Delete at most *limit* rows of each table of a collection; return whether any were left."""
    connection.execute("BEGIN IMMEDIATE")
    named = "SELECT name FROM sqlite_master WHERE type = 'table' AND (name = ? OR name GLOB ?)"
    tables = [t for (t,) in connection.execute(named, (collection, f"{collection}__*"))]
    left = 0
    for table in map(statements.quoted, tables):
        some = f"SELECT rowid FROM {table} LIMIT ?"
        gone = connection.execute(f"DELETE FROM {table} WHERE rowid IN ({some})", (limit,))
        left += gone.rowcount
    if not left:
        for table in map(statements.quoted, tables):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DELETE FROM parked WHERE collection = ?", (collection,))
    connection.execute("COMMIT")
    return bool(left)
