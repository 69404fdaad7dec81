"""The audit log as a table: CSV (RFC 4180) for spreadsheets, streamed in constant memory.

It is for reading. Only the JSON Lines of ``audit/export.py`` can be verified.
"""

import csv
import io
from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec

from audit.export import Selection
from audit.opened import open_all
from audit.trail import entry_json
from eventstore.engine.turns import PIECE
from eventstore.log import EventLog
from eventstore.recorded import Row
from security.spreadsheet import plain_text

TABLE_COLUMNS = (
    "seq",
    "at",
    "type",
    "version",
    "id",
    "stream.type",
    "stream.id",
    "stream.version",
    "actor.type",
    "actor.id",
    "onBehalfOf",
    "command",
    "requestId",
    "correlationId",
    "causationId",
    "ip",
    "userAgent",
    "data",
)

_encode = msgspec.json.Encoder().encode


async def export_table(log: EventLog, selection: Selection) -> AsyncIterator[bytes]:
    """Yield the table in UTF-8, in chunks of whole rows, after a row with the names of columns."""
    yield _written([TABLE_COLUMNS])
    at = selection.first - 1
    while at < selection.last:
        rows = await log.organization(selection.org_id, at, min(PIECE, selection.last - at))
        if not rows:
            return
        at = rows[-1].org_seq
        wanted = [row for row in rows if not selection.types or row.tag in selection.types]
        async with log.turns:
            written = await _table_rows(log, wanted)
        yield written


async def _table_rows(log: EventLog, rows: list[Row]) -> bytes:
    entries = [msgspec.to_builtins(entry_json(each)) for each in await open_all(log, rows)]
    return _written([_cell(entry, name) for name in TABLE_COLUMNS] for entry in entries)


def _cell(entry: dict[str, Any], name: str) -> str:
    value: Any = entry
    for part in name.split("."):
        value = None if value is None else value.get(part)
    match value:
        case None:
            return ""
        case str():
            return plain_text(value)
        case _:
            return _encode(value).decode()


def _written(rows: Iterable[Iterable[str]]) -> bytes:
    table = io.StringIO(newline="")
    csv.writer(table, lineterminator="\r\n").writerows(rows)
    return table.getvalue().encode()
