"""The SQL statements of one collection: its table and its indexes.

A field of texts is stored in its row as JSON. An index that searches by one of its texts is a table
of its own, with one row for each text of each document (see ``contained``). The sketches of such a
field are a table with one row for each document (see ``sketch``).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from projections.base import Document
from projections.engine.sqlite.contained import contained_table
from projections.engine.store import ShapedCollection
from projections.shape import Kind, Shape, Value

TYPES = {Kind.TEXT: "TEXT", Kind.INTEGER: "INTEGER", Kind.TRUTH: "INTEGER", Kind.TEXTS: "TEXT"}
_BASE = ("id", "org", "deleted", "position", "version", "updated_at")
_encode = msgspec.json.Encoder().encode
texts_in = msgspec.json.Decoder(list[str]).decode


def quoted(name: str) -> str:
    """Return *name* as a quoted identifier, because field names may be SQL keywords."""
    return '"' + name.replace('"', '""') + '"'


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
        if index.contains:
            beside = shape.beside_entries.get(index.contains, ()) if index.of_entries else ()
            made.append(
                f"CREATE TABLE IF NOT EXISTS {quoted(contained_table(collection, index))}"
                f" (mark BLOB, sort, row INTEGER{_sketched(shape, beside)},"
                " PRIMARY KEY (mark, sort, row)) WITHOUT ROWID"
            )
            continue
        also = (field for field in index.also if field not in index.fields)
        fields = ", ".join(map(quoted, (*index.fields, *also)))
        name = quoted(f"{collection}_{index.name}")
        made.append(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({fields})")
    for field, beside in shape.sketches.items():
        sketched = quoted(sketch_table(collection, field))
        columns = _sketched(shape, (field, *beside))
        made.append(f"CREATE TABLE IF NOT EXISTS {sketched} (row INTEGER PRIMARY KEY{columns})")
    return made


def _sketched(shape: Shape, fields: Sequence[str]) -> str:
    """Return the columns of a sketch of *fields*: two have the bits of one that holds texts."""
    bits = ", low INTEGER NOT NULL, high INTEGER NOT NULL"
    kinds = [(field, shape.kind(field)) for field in fields]
    told = [bits if k is Kind.TEXTS else f", {quoted(field)} {TYPES[k]}" for field, k in kinds]
    return "".join(told)


def sketch_table(collection: str, field: str) -> str:
    """Return the name of the table with the sketches of a field of texts."""
    return f"{collection}__sketch_{field}"


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
    told: dict[str, Value] = document.fields.copy()
    for name in shape.texts:
        told[name] = _stored(told[name])
    base = (document.id, document.org, document.deleted, document.position)
    own = map(told.__getitem__, shape.fields)
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
