"""Writes documents as rows: of a stored one only the columns that have changed.

SQLite rewrites each index of a column that a statement sets, even to the value that it has. Most
events change two or three fields of a document, and most indexes are of others.
"""

from collections.abc import Sequence
from itertools import compress
from operator import ne
from typing import Any, NamedTuple

import msgspec

from eventstore.engine.sqlite.driver import Database
from projections.base import Document
from projections.engine.sqlite import statements
from projections.engine.sqlite.contained import contained_table, text_mark
from projections.engine.sqlite.sketch import bits_of_all
from projections.engine.store import ShapedCollection
from projections.shape import ENTRY_SEPARATOR, Index

_encode = msgspec.json.Encoder().encode
_Row = tuple[Any, ...]
_Entry = tuple[Any, ...]
"""A row of the table of an index of texts: its mark, the sort key, the number of the document.

That of an index of entries may have a sketch behind these.
"""
_KEY_COLUMNS = 3


class _Marked(NamedTuple):
    """Where in a row stands what marks it: a field of texts, and what is compared beside them.

    And where the sort keys stand of the indexes that look for such marks, and what the sketch
    beside an entry is made of.
    """

    texts: int
    compared: tuple[int, ...]
    sorts: tuple[int, ...]
    sketch: tuple[int, ...]


class _Changes(NamedTuple):
    """The rows that the table of an index loses and gets."""

    gone: list[_Entry]
    new: list[_Entry]


def store_documents(
    connection: Database, target: ShapedCollection, documents: Sequence[Document]
) -> None:
    """Store *documents*, each replacing the one with its id."""
    columns, tables = statements.column_names(target.shape), _marked(target)
    insert = statements.insert(target)
    known = _stored(connection, target, documents)
    changes = {table: _Changes([], []) for those in tables.values() for table in those}
    marked = [(each, [changes[table] for table in those]) for each, those in tables.items()]
    sketched = _sketched(target)
    sketches: dict[str, list[_Row]] = {table: [] for table in sketched}
    for one in documents:
        row = statements.row_of(target.shape, one)
        before = known.get(one.id)
        if before is None:
            [(number,)] = connection.execute(insert, row).fetchall()
        else:
            number = before[0]
            _update(connection, target.collection, columns, before, row)
        after = (number, *row)
        for each, changed in marked:
            _note(each, changed, before, after)
        for name, places in sketched.items():
            told = [after[at] for at in places]
            if before is None or told != [before[at] for at in places]:
                sketches[name].append(_sketch(number, *told))
    for name, changed_rows in changes.items():
        _write_changes(connection, statements.quoted(name), changed_rows)
    for name, rows in sketches.items():
        marks = ", ".join("?" * (2 + len(sketched[name])))
        statement = f"INSERT OR REPLACE INTO {statements.quoted(name)} VALUES ({marks})"
        connection.executemany(statement, rows)


def _sketched(target: ShapedCollection) -> dict[str, list[int]]:
    """Return the tables of sketches, each with where in a row stand the texts and what else."""
    columns = ("row", *statements.column_names(target.shape))
    return {
        statements.sketch_table(target.collection, field): [
            columns.index(each) for each in (field, *beside)
        ]
        for field, beside in target.shape.sketches.items()
    }


def _sketch(number: int, texts: str | None, *beside: Any) -> _Row:
    """Return the row of a sketch; *texts* are as they are stored."""
    return (number, *bits_of_all([] if texts is None else statements.texts_in(texts)), *beside)


def _stored(
    connection: Database, target: ShapedCollection, documents: Sequence[Document]
) -> dict[str, _Row]:
    """Return the number of the row and the columns of each document that is stored, by its id."""
    ids = _encode([one.id for one in documents]).decode()
    found = connection.execute(statements.select_stored(target), (ids,)).fetchall()
    return {row[1]: row for row in found}


def _update(
    connection: Database,
    collection: str,
    columns: tuple[str, ...],
    before: _Row,
    row: _Row,
) -> None:
    number, last = before[0], len(row) - 1
    # The last is the JSON, of which no index is, and which was not read.
    changed = [*compress(range(last), map(ne, before[1:], row)), last]
    statement = statements.update(collection, tuple([columns[at] for at in changed]))
    connection.execute(statement, [*[row[at] for at in changed], number])


def _marked(target: ShapedCollection) -> dict[_Marked, list[str]]:
    """Return what marks the rows of a collection, each with the tables of its indexes."""
    columns = ("row", *statements.column_names(target.shape))
    found: dict[tuple[int, tuple[int, ...]], list[Index]] = {}
    for index in target.shape.indexes:
        if index.contains:
            compared = tuple([columns.index(field) for field in index.equal])
            found.setdefault((columns.index(index.contains), compared), []).append(index)
    marked: dict[_Marked, list[str]] = {}
    for key, indexes in found.items():
        also = target.shape.beside_entries.get(columns[key[0]], ())
        sorts = [index.sort for index in indexes]
        places = [tuple([columns.index(each) for each in some]) for some in (sorts, also)]
        tables = [contained_table(target.collection, index) for index in indexes]
        marked[_Marked(*key, *places)] = tables
    return marked


def _note(marked: _Marked, changes: list[_Changes], before: _Row | None, row: _Row) -> None:
    """Add what a document changes in the tables of its marks; it is in none without a sort key."""
    if marked.sorts == (marked.texts,):
        _note_entries(marked, changes[0], before, row)
        return
    old = frozenset[bytes]() if before is None else _marks(marked, before)
    new = _marks(marked, row)
    number, only_old, only_new = row[0], old - new, new - old
    for at, changed in zip(marked.sorts, changes, strict=True):
        sort, last = row[at], None if before is None else before[at]
        gone, added = (old, new) if sort != last else (only_old, only_new)
        if last is not None:
            changed.gone.extend([(mark, last, number) for mark in gone])
        if sort is not None:
            changed.new.extend([(mark, sort, number) for mark in added])


def _note_entries(marked: _Marked, changed: _Changes, before: _Row | None, row: _Row) -> None:
    """Add what a document changes in a table of entries, each of which has its own sort key."""
    old = frozenset[_Entry]() if before is None else _entries(marked, before)
    new = _entries(marked, row)
    changed.gone.extend(old - new)
    is_same = before is not None and all(before[at] == row[at] for at in marked.sketch)
    added = new - old if is_same else new
    if added and marked.sketch:
        _, *sketch = _sketch(*[row[at] for at in (0, *marked.sketch)])
        added = frozenset([(*each, *sketch) for each in added])
    changed.new.extend(added)


def _entries(marked: _Marked, row: _Row) -> frozenset[_Entry]:
    stored = row[marked.texts]
    if stored is None:
        return frozenset()
    compared = tuple([row[at] for at in marked.compared])
    named = [each.split(ENTRY_SEPARATOR, 1) for each in statements.texts_in(stored)]
    return frozenset([(text_mark(compared, name), key, row[0]) for name, key in named])


def _marks(marked: _Marked, row: _Row) -> frozenset[bytes]:
    stored = row[marked.texts]
    if stored is None:
        return frozenset()
    compared = tuple([row[at] for at in marked.compared])
    return frozenset([text_mark(compared, text) for text in statements.texts_in(stored)])


def _write_changes(connection: Database, table: str, changes: _Changes) -> None:
    # In their order: what stands next to the last one costs less than what stands elsewhere.
    removing = f"DELETE FROM {table} WHERE mark = ? AND sort = ? AND row = ?"
    connection.executemany(removing, sorted(changes.gone))
    if not changes.new:
        return
    columns = len(changes.new[0])
    # Only entries have sketches, which may change while they stay where they are.
    adding = f"INSERT {'OR REPLACE ' * (columns > _KEY_COLUMNS)}INTO {table} VALUES"
    connection.executemany(f"{adding} ({', '.join('?' * columns)})", sorted(changes.new))
