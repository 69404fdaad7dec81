"""Maps records to rows: one column per field, with only two SQL types.

Times are whole microseconds since 1970, UTC, as in the log; flags are 0 or 1; headers are JSON; a
NUL in a text is stored as U+FFFD.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from eventstore.recorded import microseconds

R = TypeVar("R", bound=Struct)
_Value = str | int | None
_Convert = Callable[[Any], Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_json = msgspec.json.Decoder(dict[str, str]).decode


class Table(Generic[R]):
    """One table: a column for each field of *record*, of which the first is the key."""

    def __init__(self, name: str, record: type[R], *indexes: str) -> None:
        self.name, self.record, self._indexes = name, record, indexes
        hints = get_type_hints(record)
        self.columns = tuple(record.__struct_fields__)
        self._bare = {column: _bare(hints[column]) for column in self.columns}
        self._optional = {column: hints[column] is not self._bare[column] for column in hints}
        self._encode = tuple(_encoder(self._bare[column]) for column in self.columns)
        self._decode = tuple(_decoder(self._bare[column]) for column in self.columns)
        self.selected = ", ".join(f"{name}.{_quoted(column)}" for column in self.columns)

    def create_statements(self) -> list[str]:
        """Return the statements that create the table and its indexes if they are missing."""
        columns = ", ".join(
            f"{_quoted(column)} {'TEXT' if _is_text(self._bare[column]) else 'BIGINT'}"
            f"{'' if self._optional[column] else ' NOT NULL'}{' PRIMARY KEY' if not n else ''}"
            for n, column in enumerate(self.columns)
        )
        table = f"CREATE TABLE IF NOT EXISTS {self.name} ({columns})"
        indexes = [
            f"CREATE INDEX IF NOT EXISTS {self.name}_{n} ON {self.name} {columns}"
            for n, columns in enumerate(self._indexes)
        ]
        return [table, *indexes]

    def add_statements(self, known: Collection[str]) -> list[str]:
        """Return the statements that add the numbers which a table of an earlier version lacks."""
        return [
            f"ALTER TABLE {self.name} ADD COLUMN {_quoted(column)} BIGINT NOT NULL DEFAULT 0"
            for column in self.columns
            if column not in known
        ]

    def insert_statement(self, *, replace: bool) -> str:
        """Return the insert of a row; an existing row with its key is replaced or kept."""
        named = ", ".join(_quoted(column) for column in self.columns)
        marks = ", ".join("?" * len(self.columns))
        key, *others = (_quoted(column) for column in self.columns)
        changed = ", ".join(f"{column} = excluded.{column}" for column in others)
        instead = f"UPDATE SET {changed}" if replace else "NOTHING"
        return (
            f"INSERT INTO {self.name} ({named}) VALUES ({marks}) ON CONFLICT ({key}) DO {instead}"
        )

    def row(self, record: R) -> tuple[_Value, ...]:
        """Return the columns of *record*."""
        pairs = zip(self.columns, self._encode, strict=True)
        return tuple(
            None if (value := getattr(record, column)) is None else encode(value)
            for column, encode in pairs
        )

    def value(self, column: str, value: Any) -> _Value:
        """Return *value* as *column* stores it."""
        encode = self._encode[self.columns.index(column)]
        return None if value is None else encode(value)

    def read(self, row: Sequence[Any]) -> R:
        """Return the record of a row with the columns ``selected``."""
        return self.record(
            **{
                column: None if value is None else decode(value)
                for column, decode, value in zip(self.columns, self._decode, row, strict=True)
            }
        )


def moment(at_us: int) -> datetime:
    """Return the time *at_us* microseconds after 1970, UTC."""
    return _EPOCH + timedelta(microseconds=at_us)


def _quoted(column: str) -> str:
    return f'"{column}"'  # "until", "open" and others are SQL keywords in some databases


def _bare(hint: Any) -> Any:
    """Return a type without its ``| None``."""
    parts = [part for part in get_args(hint) if part is not type(None)]
    return parts[0] if get_origin(hint) is not dict and parts else hint


def _is_text(kind: Any) -> bool:
    return kind not in (int, bool, datetime)


def _encoder(kind: Any) -> _Convert:
    if kind is datetime:
        return microseconds
    if kind is bool:
        return int
    if get_origin(kind) is dict:
        return _json_text
    return _as_is if kind is int else _text


def _decoder(kind: Any) -> _Convert:
    if kind is datetime:
        return moment
    if get_origin(kind) is dict:
        return _json
    return kind if kind is bool or issubclass(kind, StrEnum) else _as_is


def _text(value: str) -> str:
    # PostgreSQL refuses NUL in a text, and a receiver may send one.
    return value.replace("\0", "\ufffd")


def _json_text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _as_is(value: Any) -> Any:
    return value
