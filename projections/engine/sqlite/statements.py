"""The SQL statements of one collection: its table and its indexes.

A field of texts is stored in its row as JSON. For lists that search by one of its texts, there is
also a side table with one row per text and the fields of the index.
"""

from functools import lru_cache
from typing import Any

import msgspec

from projections.base import Document
from projections.engine.store import ShapedCollection
from projections.shape import Index, Kind, Shape, Value

TYPES = {Kind.TEXT: "TEXT", Kind.INTEGER: "INTEGER", Kind.TRUTH: "INTEGER", Kind.TEXTS: "TEXT"}
_BASE = ("id", "org", "deleted", "position", "version", "updated_at")
_encode = msgspec.json.Encoder().encode
_texts = msgspec.json.Decoder(list[str]).decode


def quoted(name: str) -> str:
    """Return *name* as a quoted identifier, because field names may be SQL keywords."""
    return '"' + name.replace('"', '""') + '"'


def side_table(collection: str, index: Index) -> str:
    """Return the name of the table with the texts of an index."""
    return f"{collection}__{index.name}"


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
    for index in shape.indexes:
        fields, where = ", ".join(map(quoted, index.fields)), table
        if index.contains:
            where = quoted(side_table(collection, index))
            copied = ", ".join(map(quoted, (*index.equal, index.sort)))
            made.append(
                f"CREATE TABLE IF NOT EXISTS {where} (row INTEGER NOT NULL,"
                f" {quoted(index.contains)} TEXT NOT NULL, {copied})"
            )
            of_row = quoted(f"{side_table(collection, index)}_of_row")
            made.append(f"CREATE INDEX IF NOT EXISTS {of_row} ON {where} (row)")
        name = quoted(f"{collection}_{index.name}")
        made.append(f"CREATE INDEX IF NOT EXISTS {name} ON {where} ({fields})")
    return made


@lru_cache(256)
def _upsert(collection: str, columns: tuple[str, ...]) -> str:
    names = ", ".join(map(quoted, columns))
    marks = ", ".join("?" * len(columns))
    changed = ", ".join(f"{quoted(c)} = excluded.{quoted(c)}" for c in columns if c != "id")
    return (
        f"INSERT INTO {quoted(collection)} ({names}) VALUES ({marks}) ON CONFLICT (id)"
        f" DO UPDATE SET {changed}"
    )


def upsert(target: ShapedCollection) -> str:
    """Return the statement that stores a document, replacing the one with its id."""
    return _upsert(target.collection, (*_BASE, "json", *target.shape.fields))


def row_of(shape: Shape, document: Document) -> tuple[Any, ...]:
    """Return the values for ``upsert``."""
    fields = document.fields
    own = (
        _stored(fields[name]) if kind is Kind.TEXTS else fields[name]
        for name, kind in shape.fields.items()
    )
    base = (document.id, document.org, document.deleted, document.position)
    return (*base, document.version, document.updated_at, document.json, *own)


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
    names = ", ".join(map(quoted, (*_BASE, "json", *target.shape.fields)))
    return f"SELECT {names} FROM {quoted(target.collection)}"


def document_of(shape: Shape, row: tuple[Any, ...]) -> Document:
    """Return the document in a row that ``select_whole`` gave."""
    id_, org, deleted, position, version, updated_at, json, *own = row
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
    return _texts(stored) if kind is Kind.TEXTS else stored


def side_rows(target: ShapedCollection, index: Index) -> tuple[str, str]:
    """Return the statements that remove and insert the texts of one document, by its id."""
    collection, contains = target.collection, quoted(index.contains or "")
    table, side = quoted(collection), quoted(side_table(collection, index))
    copied = ", ".join(map(quoted, (*index.equal, index.sort)))
    remove = f"DELETE FROM {side} WHERE row = (SELECT row FROM {table} WHERE id = ?)"
    put = (
        f"INSERT INTO {side} (row, {contains}, {copied})"
        f" SELECT d.row, t.value, {', '.join('d.' + quoted(f) for f in (*index.equal, index.sort))}"
        f" FROM {table} d, json_each(d.{contains}) t WHERE d.id = ?"
    )
    return remove, put
