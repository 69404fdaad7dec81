"""The SQL statements of one collection: its table and its indexes.

A field of texts is stored in its row as JSON. For lists that search by one of its texts, there is
also a side table with one row per text and the fields of the indexes that contain it.
"""

from functools import lru_cache
from typing import Any

import msgspec

from projections.base import Document
from projections.engine.store import ShapedCollection
from projections.shape import Kind, Shape, Value

TYPES = {Kind.TEXT: "TEXT", Kind.INTEGER: "INTEGER", Kind.TRUTH: "INTEGER", Kind.TEXTS: "TEXT"}
_BASE = ("id", "org", "deleted", "position", "version", "updated_at")
_encode = msgspec.json.Encoder().encode
texts_in = msgspec.json.Decoder(list[str]).decode


def quoted(name: str) -> str:
    """Return *name* as a quoted identifier, because field names may be SQL keywords."""
    return '"' + name.replace('"', '""') + '"'


def side_table(collection: str, field: str) -> str:
    """Return the name of the table with the texts of a field."""
    return f"{collection}__{field}"


def side_columns(shape: Shape) -> dict[str, tuple[str, ...]]:
    """Return, by each field of texts that lists search by, the columns that its table copies."""
    columns: dict[str, dict[str, None]] = {}
    for index in shape.indexes:
        if index.contains:
            copied = dict.fromkeys((*index.equal, index.sort))
            columns.setdefault(index.contains, {}).update(copied)
    return {field: tuple(copied) for field, copied in columns.items()}


def schema(target: ShapedCollection) -> list[str]:
    """Return the statements that create a collection unless it exists."""
    collection, shape = target
    table = quoted(collection)
    columns = "".join(f", {quoted(f)} {TYPES[kind]}" for f, kind in shape.fields.items())
    made = [
        f"CREATE TABLE IF NOT EXISTS {table} (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
        " org TEXT NOT NULL, deleted INTEGER NOT NULL, position INTEGER NOT NULL,"
        f" version INTEGER NOT NULL, updated_at TEXT NOT NULL{columns}, json BLOB NOT NULL)"
    ]
    for field, columns_copied in side_columns(shape).items():
        side = side_table(collection, field)
        copied = ", ".join(map(quoted, columns_copied))
        made.append(
            f"CREATE TABLE IF NOT EXISTS {quoted(side)} (row INTEGER NOT NULL,"
            f" {quoted(field)} TEXT NOT NULL, {copied})"
        )
        made.append(
            f"CREATE INDEX IF NOT EXISTS {quoted(f'{side}_of_row')} ON {quoted(side)} (row)"
        )
    for index in shape.indexes:
        where = quoted(side_table(collection, index.contains)) if index.contains else table
        also = () if index.contains else (f for f in index.also if f not in index.fields)
        fields = ", ".join(map(quoted, (*index.fields, *also)))
        name = quoted(f"{collection}_{index.name}")
        made.append(f"CREATE INDEX IF NOT EXISTS {name} ON {where} ({fields})")
    return made


def column_names(shape: Shape) -> tuple[str, ...]:
    """Return the columns of a document in the order of ``row_of``: its id first, its JSON last."""
    return (*_BASE, *shape.fields, "json")


def insert(target: ShapedCollection) -> str:
    """Return the statement that stores a new document."""
    columns = column_names(target.shape)
    names = ", ".join(map(quoted, columns))
    return (
        f"INSERT INTO {quoted(target.collection)} ({names}) VALUES ({_marks(len(columns))})"
        " RETURNING row"
    )


def _marks(count: int) -> str:
    return ", ".join("?" * count)


@lru_cache(1_024)
def update(table: str, columns: tuple[str, ...]) -> str:
    """Return the statement that sets some columns of the rows with a number."""
    told = ", ".join([f"{quoted(column)} = ?" for column in columns])
    return f"UPDATE {quoted(table)} SET {told} WHERE row = ?"


def select_stored(target: ShapedCollection) -> str:
    """Return the statement that selects documents by their ids: their rows, without the JSON."""
    names = ", ".join(map(quoted, column_names(target.shape)[:-1]))
    return (
        f"SELECT row, {names} FROM {quoted(target.collection)}"
        " WHERE id IN (SELECT value FROM json_each(?))"
    )


def row_of(shape: Shape, document: Document) -> tuple[Any, ...]:
    """Return the values of the columns of a document."""
    fields = document.fields
    own = (
        _stored(fields[name]) if kind is Kind.TEXTS else fields[name]
        for name, kind in shape.fields.items()
    )
    base = (document.id, document.org, document.deleted, document.position)
    return (*base, document.version, document.updated_at, *own, document.json)


def _stored(value: Value) -> str | None:
    return None if value is None else _encode(value).decode()


def view(name: str, collection: str) -> str:
    """Return the statement that shows a collection under a name that stays, for people."""
    return f"CREATE VIEW {quoted(name)} AS SELECT * FROM {quoted(collection)}"


def is_of_model(name: str, made: str) -> bool:
    """Return whether ``view`` gave the statement that made a view."""
    return made.startswith(view(name, f"{name}_v")[:-1])


def select_whole(target: ShapedCollection) -> str:
    """Return the beginning of a statement that selects whole documents."""
    names = ", ".join(map(quoted, column_names(target.shape)))
    return f"SELECT {names} FROM {quoted(target.collection)}"


def document_of(shape: Shape, row: tuple[Any, ...]) -> Document:
    """Return the document in a row that ``select_whole`` gave."""
    id_, org, deleted, position, version, updated_at, *own, json = row
    fields = {
        name: _value(kind, value)
        for (name, kind), value in zip(shape.fields.items(), own, strict=True)
    }
    return Document(id_, org, bool(deleted), position, version, updated_at, fields, json)


def _value(kind: Kind, stored: Any) -> Value:
    if stored is None:
        return None
    if kind is Kind.TRUTH:
        return bool(stored)
    return texts_in(stored) if kind is Kind.TEXTS else stored


def insert_side(target: ShapedCollection, field: str) -> str:
    """Return the statement that adds a text of a field: it, its row, and what its table copies."""
    names = (field, "row", *side_columns(target.shape)[field])
    side = quoted(side_table(target.collection, field))
    return f"INSERT INTO {side} ({', '.join(map(quoted, names))}) VALUES ({_marks(len(names))})"


def delete_side(target: ShapedCollection, field: str) -> str:
    """Return the statement that removes one text of a field, given the number of its row."""
    side = quoted(side_table(target.collection, field))
    return f"DELETE FROM {side} WHERE {quoted(field)} = ? AND row = ?"
