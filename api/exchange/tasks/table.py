"""Files of tasks as tables: CSV (RFC 4180), written for spreadsheets and read from them.

Several people, labels or options in one cell are one a line; people may also be separated by commas
or semicolons. The columns of custom fields are called ``fields.`` and their key.
"""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import datetime
from typing import IO, Any, cast

import msgspec

from api.exchange.tasks.contents import Line as Told
from api.exchange.tasks.lines import (
    LINE_MAX,
    BrokenFile,
    Line,
    Unreadable,
    checked,
    converted,
)
from api.exchange.tasks.mapping import Mapping as Names
from api.exchange.tasks.outgoing import LINE_FIELDS
from domain.work.task.custom_field import FieldType
from security.spreadsheet import plain_text, text_of_cell

_FIELD = "fields."
_NO_COLUMNS = frozenset({"fields", "files"})
"""What has columns of its own, or none."""
_MANY = frozenset({"assignees", "mentions", "labels"})
_DELIMITERS = ",;\t"
_COLUMNS_MAX = 1_000


async def table_of(pages: AsyncIterator[list[Told]], fields: Iterable[str]) -> AsyncIterator[bytes]:
    """Yield a table of tasks in UTF-8, in chunks of whole rows, after a row of names."""
    plain = [name for name in LINE_FIELDS if name not in _NO_COLUMNS]
    keys = list(fields)
    yield _written([[*plain, *(f"{_FIELD}{key}" for key in keys)]])
    async for lines in pages:
        yield _written(
            [
                *(_cell(line.get(name)) for name in plain),
                *(_cell(line.get("fields", {}).get(key)) for key in keys),
            ]
            for line in lines
        )


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return plain_text(value)
        case list():
            return plain_text("\n".join(cast("list[str]", value)))
        case datetime():
            return str(msgspec.to_builtins(value))
        case _:
            return str(value)


def _written(rows: Iterable[Iterable[str]]) -> bytes:
    table = io.StringIO(newline="")
    csv.writer(table, lineterminator="\r\n").writerows(rows)
    return table.getvalue().encode()


def read_table(file: IO[str], names: Names, kinds: Mapping[str, FieldType]) -> Iterator[Line]:
    """Yield the rows of a table that are not empty, each with the number of its last line.

    *kinds* are the types of the project's custom fields. Columns without a known name are ignored.

    :raises BrokenFile: it has no column of ids or titles, or a cell that never ends.
    """
    rows, columns = _begun(file, names)
    if not {"id", "title"} <= {*columns}:
        raise BrokenFile("The first row names no columns `id` and `title`. Map them.")
    while (row := _next(rows)) is not None:
        if not any(row):
            continue
        try:
            task = converted(_members(columns, row, kinds), Names(**_values(names)), strict=False)
        except (msgspec.MsgspecError, UnicodeEncodeError) as error:
            yield Unreadable(rows.line_num, str(error))
            continue
        yield checked(rows.line_num, task)


def field_keys(file: IO[str], names: Names) -> list[str]:
    """Return the keys of the custom fields that a table has columns for."""
    try:
        _, columns = _begun(file, names)
    except BrokenFile:  # as its reader finds, too
        columns = []
    file.seek(0)
    found = [one.removeprefix(_FIELD) for one in columns if one and one.startswith(_FIELD)]
    return list(dict.fromkeys(found))


def _begun(file: IO[str], names: Names) -> tuple[Any, list[str | None]]:
    """Return the rows of a table behind the first one, and which member each column is."""
    begin = file.readline(LINE_MAX)
    file.seek(0)
    rows = csv.reader(_bounded(file), delimiter=max(_DELIMITERS, key=begin.count))
    header = _next(rows) or []
    return rows, [_column(one, names) for one in header[:_COLUMNS_MAX]]


def _bounded(file: IO[str]) -> Iterator[str]:
    while line := file.readline(LINE_MAX):
        if len(line) >= LINE_MAX:
            raise BrokenFile(f"A line is longer than {LINE_MAX:,} characters.")
        yield line


def _next(rows: Any) -> list[str] | None:
    """Return the next row, or None at the end.

    :raises BrokenFile: a cell never ends.
    """
    try:
        row: list[str] | None = next(rows, None)
    except csv.Error as error:
        raise BrokenFile(f"Line {rows.line_num}: {error}.") from None
    return row


def _values(names: Names) -> dict[str, dict[str, str]]:
    """Return what *names* says of values; the columns are renamed already."""
    return {"people": names.people, "statuses": names.statuses, "priorities": names.priorities}


def _column(name: str, names: Names) -> str | None:
    """Return the member that a column is, None for one without a known name."""
    plain = name.strip()
    found = names.columns.get(plain, plain)
    is_known = found in LINE_FIELDS and found not in _NO_COLUMNS
    return found if is_known or found.startswith(_FIELD) else None


def _members(
    columns: list[str | None], row: list[str], kinds: Mapping[str, FieldType]
) -> dict[str, Any]:
    """Return the members of a task; a column that comes again adds to it, or fills it."""
    found: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    for column, cell in zip(columns, row, strict=False):
        text = text_of_cell(cell)
        if column is None or not text:
            continue
        if column in _MANY:
            found[column] = [*found.get(column, []), *_several(column, text)]
        elif column.startswith(_FIELD):
            key = column.removeprefix(_FIELD)
            fields[key] = _field_value(text, kinds.get(key))
        else:
            found[column] = text
    return {**found, "fields": fields} if fields else found


def _several(column: str, text: str) -> list[str]:
    if column != "labels":
        text = text.replace(",", "\n").replace(";", "\n")
    return [one.strip() for one in text.split("\n") if one.strip()]


def _field_value(text: str, kind: FieldType | None) -> Any:
    """Return the value that a cell of a custom field has; the command refuses a wrong one."""
    match kind:
        case FieldType.MULTI_SELECT:
            return [one.strip() for one in text.split("\n") if one.strip()]
        case FieldType.NUMBER:
            try:
                return float(text)
            except ValueError:
                return text
        case _:
            return text
