"""Writes documents as rows: of a stored one only the columns that have changed.

SQLite rewrites each index of a column that a statement sets, even to the value that it has. Most
events change two or three fields of a document, and most indexes are of others.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from projections.base import Document
from projections.engine.sqlite import statements
from projections.engine.store import ShapedCollection

_encode = msgspec.json.Encoder().encode
_Row = tuple[Any, ...]
_Text = tuple[Any, ...]
"""A text of a field, the number of its row, and the columns that its table copies."""


class _Side(NamedTuple):
    """The table with the texts of one field."""

    name: str
    at: int
    """Where the field stands in a row."""
    copied: tuple[tuple[int, str], ...]
    """The columns that it copies, and where they stand."""
    insert: str
    delete: str


def store_documents(
    connection: sqlite3.Connection, target: ShapedCollection, documents: Sequence[Document]
) -> None:
    """Store *documents*, each replacing the one with its id."""
    columns, sides = statements.column_names(target.shape), _sides(target)
    insert = statements.insert(target)
    known = _stored(connection, target, documents)
    added: list[list[_Text]] = [[] for _ in sides]
    for one in documents:
        row = statements.row_of(target.shape, one)
        before = known.get(one.id)
        if before is None:
            [(number,)] = connection.execute(insert, row).fetchall()
        else:
            number = before[0]
            _update(connection, target.collection, columns, before, row)
        for side, texts in zip(sides, added, strict=True):
            texts.extend(_changed_texts(connection, side, number, before, row))
    for side, texts in zip(sides, added, strict=True):
        # In the order of the index: an insert next to the last one costs less than one elsewhere.
        texts.sort()
        connection.executemany(side.insert, texts)


def _stored(
    connection: sqlite3.Connection, target: ShapedCollection, documents: Sequence[Document]
) -> dict[str, _Row]:
    """Return the number of the row and the columns of each document that is stored, by its id."""
    ids = _encode([one.id for one in documents]).decode()
    found = connection.execute(statements.select_stored(target), (ids,)).fetchall()
    return {row[1]: row for row in found}


def _update(
    connection: sqlite3.Connection,
    collection: str,
    columns: tuple[str, ...],
    before: _Row,
    row: _Row,
) -> None:
    number, *old = before
    changed = [at for at, value in enumerate(old) if value != row[at]]
    changed.append(len(row) - 1)  # the JSON, of which no index is
    statement = statements.update(collection, tuple([columns[at] for at in changed]))
    connection.execute(statement, [*[row[at] for at in changed], number])


def _sides(target: ShapedCollection) -> list[_Side]:
    columns = statements.column_names(target.shape)
    return [
        _Side(
            statements.side_table(target.collection, field),
            columns.index(field),
            tuple((columns.index(each), each) for each in copied),
            statements.insert_side(target, field),
            statements.delete_side(target, field),
        )
        for field, copied in statements.side_columns(target.shape).items()
    ]


def _changed_texts(
    connection: sqlite3.Connection, side: _Side, number: int, before: _Row | None, row: _Row
) -> list[_Text]:
    """Bring the texts of a field that stay up to date with *row*, and return those to add.

    Those that *row*, which is stored now, does not have are deleted.
    """
    texts = _texts(row[side.at])
    old = [] if before is None else _texts(before[side.at + 1])
    for gone in set(old) - set(texts):
        connection.execute(side.delete, (gone, number))
    if before is not None and not set(old).isdisjoint(texts):
        changed = [(at, name) for at, name in side.copied if before[at + 1] != row[at]]
        if changed:
            statement = statements.update(side.name, tuple([name for _, name in changed]))
            connection.execute(statement, [*[row[at] for at, _ in changed], number])
    known = set(old)
    copied = [row[at] for at, _ in side.copied]
    return [(new, number, *copied) for new in dict.fromkeys(texts) if new not in known]


def _texts(stored: str | None) -> list[str]:
    return [] if stored is None else statements.texts_in(stored)
