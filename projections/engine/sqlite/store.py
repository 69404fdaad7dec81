"""The port on SQLite: reads on the event loop in about 30 µs, writes on a separate thread."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from eventstore.counters import READ_MODELS_DRIVER, counters_of
from eventstore.engine.sqlite.driver import Database, SQLiteError
from projections.base import Document
from projections.engine.answering import index_for
from projections.engine.control import Control, PartState
from projections.engine.query import ListSlice, Query
from projections.engine.sqlite import statements
from projections.engine.sqlite.connection import MISSING, WAL_BYTES_KEPT, Connection
from projections.engine.sqlite.files import Files
from projections.engine.sqlite.keeping import page_statement
from projections.engine.sqlite.leases import take_leases
from projections.engine.sqlite.pages import PageRows, count_statement
from projections.engine.sqlite.writing import commit_batch, drop_rows, show_views
from projections.engine.store import (
    READ_MODELS_DEADLINE_S,
    Batch,
    Parked,
    ReadStoreUnavailable,
    Rendered,
    ShapedCollection,
)

T = TypeVar("T")

IDS_MAX = 500
"""Ids per statement."""
CHECKPOINT_EVERY_S = 5.0
EMPTIED_EVERY_S = 3_600.0
"""How long the write-ahead log may keep what was overwritten, such as purged texts."""
_encode = msgspec.json.Encoder().encode
_control = msgspec.json.Decoder(Control).decode
_part = msgspec.json.Decoder(PartState).decode
_parked = msgspec.json.Decoder(Parked).decode


class SQLiteReadStore:
    """Read models in one file. Readers and the writer never wait for each other."""

    def __init__(self, path: Path, timeout_s: float = READ_MODELS_DEADLINE_S) -> None:
        self._files, self._timeout_s = Files(path), timeout_s
        self._reader = Connection(self._files, timeout_s, writes=False)
        self._writer = Connection(self._files, timeout_s, writes=True)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="read-models")
        self._checkpointed_at = 0.0
        self._emptied_at = time.monotonic()
        self._closed = False
        counters_of(READ_MODELS_DRIVER).pool_created()

    async def control(self) -> Control | None:
        if not self._files.path.exists():
            return None
        return self._read(_control_of)

    async def get_many(self, target: ShapedCollection, ids: Sequence[str]) -> list[Rendered]:
        table = statements.quoted(target.collection)

        def get(connection: Database) -> list[Rendered]:
            found: list[Rendered] = []
            for some in _in_pieces(ids):
                statement = (
                    f"SELECT id, json, version, deleted FROM {table} WHERE id IN ({_marks(some)})"
                )
                rows = connection.execute(statement, some).fetchall()
                found += [Rendered(i, json, v, bool(gone)) for i, json, v, gone in rows]
            return found

        return self._read(get)

    async def find(self, asked: Sequence[tuple[ShapedCollection, Query]]) -> list[ListSlice]:
        pages = [page_statement(target, query) for target, query in asked]

        def find(connection: Database) -> list[PageRows]:
            if len(pages) == 1:  # a single statement is consistent by itself
                return [connection.execute(*pages[0][:2]).fetchall()]
            connection.execute("BEGIN")
            found = [connection.execute(*page[:2]).fetchall() for page in pages]
            connection.execute("COMMIT")
            return found

        found = self._read(find)
        return [p.slice_of(q, rows) for p, (_, q), rows in zip(pages, asked, found, strict=True)]

    async def count(self, target: ShapedCollection, query: Query, limit: int) -> int:
        statement = count_statement(target, query, limit)
        [(found,)] = self._read(lambda connection: connection.execute(*statement).fetchall())
        return int(found)

    async def explain(self, target: ShapedCollection, query: Query) -> str:
        page = page_statement(target, query)
        explained = f"EXPLAIN QUERY PLAN {page.text}"
        rows = self._read(lambda c: c.execute(explained, page.parameters).fetchall())
        # The plan does not name the table that is an index of texts.
        return "\n".join([index_for(target.shape, query).name, *[row[3] for row in rows]])

    async def load(self, target: ShapedCollection, ids: Sequence[str]) -> list[Document]:
        whole, shape = statements.select_whole(target), target.shape

        def load(connection: Database) -> list[Document]:
            rows: list[tuple[object, ...]] = []
            for some in _in_pieces(ids):
                rows += connection.execute(f"{whole} WHERE id IN ({_marks(some)})", some).fetchall()
            return [statements.document_of(shape, row) for row in rows]

        return await self._write(load)

    async def scan(
        self, targets: Sequence[ShapedCollection], after: str, limit: int
    ) -> list[list[Document]]:
        def scan(connection: Database) -> list[list[Document]]:
            connection.execute("BEGIN")
            found: list[list[Document]] = []
            for target in targets:
                statement = f"{statements.select_whole(target)} WHERE id > ? ORDER BY id LIMIT ?"
                rows = connection.execute(statement, (after, limit)).fetchall()
                found.append([statements.document_of(target.shape, row) for row in rows])
            connection.execute("COMMIT")
            return found

        return self._read(scan)

    async def parked(self) -> list[Parked]:
        if not self._files.path.exists():
            return []
        rows = self._read(lambda c: _told(c, "SELECT body FROM parked ORDER BY 1"))
        return [_parked(body) for (body,) in rows]

    async def create(self, target: ShapedCollection) -> None:
        def create(connection: Database) -> None:
            connection.execute("BEGIN IMMEDIATE")
            for statement in statements.schema(target):
                connection.execute(statement)
            connection.execute("COMMIT")

        await self._write(create)

    async def write(self, batch: Batch) -> Control:
        after, written = await self._write(lambda connection: commit_batch(connection, batch))
        self._files.note_revision(written)
        await self._shrink_log()
        return after

    async def show_live(self, control: Control) -> None:
        live = control.live_names
        await self._write(lambda connection: show_views(connection, live))

    async def drop_piece(self, collection: str, limit: int) -> bool:
        return await self._write(lambda connection: drop_rows(connection, collection, limit))

    async def lease(
        self, owner: str, seconds: float, parts: Sequence[int] = (0,)
    ) -> dict[int, int]:
        return await self._write(lambda connection: take_leases(connection, owner, seconds, parts))

    async def release(self, owner: str, parts: Sequence[int] = (0,)) -> None:
        statement = (
            f"UPDATE leases SET owner = '', until = 0 WHERE owner = ? AND part IN ({_marks(parts)})"
        )
        await self._write(lambda connection: connection.execute(statement, (owner, *parts)))

    async def figures(self) -> dict[str, int]:
        size = self._files.path.stat().st_size if self._files.path.exists() else 0
        return {"file_bytes": size, "wal_bytes": self._files.wal_bytes()}

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        counters_of(READ_MODELS_DRIVER).pool_closed()
        self._reader.close()  # first, because the last connection empties the write-ahead log
        self._thread.shutdown()
        self._writer.close()

    def _read(self, work: Callable[[Database], T]) -> T:
        return self._reader.run(work)

    async def _write(self, work: Callable[[Database], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(2 * self._timeout_s):
                return await loop.run_in_executor(self._thread, self._writer.run, work)
        except TimeoutError as late:
            raise ReadStoreUnavailable(f"writing to {self._files.path} took too long") from late

    async def _shrink_log(self) -> None:
        """Truncate a write-ahead log that has grown during a long read, or that is an hour old."""
        now = time.monotonic()
        if now - self._checkpointed_at < CHECKPOINT_EVERY_S:
            return
        self._checkpointed_at = now
        is_old = now - self._emptied_at > EMPTIED_EVERY_S
        if is_old or self._files.wal_bytes() > WAL_BYTES_KEPT:
            [(is_busy, *_)] = await self._write(
                lambda c: c.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            )
            if not is_busy:  # else a reader stands in it: tried again after CHECKPOINT_EVERY_S
                self._emptied_at = now


def _control_of(connection: Database) -> Control | None:
    # One statement, so that all of it is of one moment.
    rows = _told(
        connection,
        "SELECT -1, revision, body FROM control UNION ALL SELECT part, 0, body FROM parts"
        " ORDER BY 1",
    )
    if not rows or rows[0][0] != -1:
        return None
    (_, revision, body), *parts = rows
    found = {part: _part(told) for part, _, told in parts}
    return replace(_control(body), revision=revision, parts=found)


def _told(connection: Database, statement: str) -> list[tuple[Any, ...]]:
    """Return rows of the control tables: none before a writer has made the tables."""
    try:
        return connection.execute(statement).fetchall()
    except SQLiteError as error:
        if MISSING in str(error):
            return []
        raise


def _in_pieces(ids: Sequence[str]) -> list[list[str]]:
    return [list(ids[at : at + IDS_MAX]) for at in range(0, len(ids), IDS_MAX)]


def _marks(ids: Sequence[object]) -> str:
    return ",".join("?" * len(ids))
