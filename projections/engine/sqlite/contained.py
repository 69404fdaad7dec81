"""The tables by which lists find the documents that contain a text.

Each index that ``contains`` is one table, sorted by its *mark*, its sort key and the number of the
document's row: nothing else is stored, and nothing twice. A mark stands for the values that the
index compares and the text. These are some 120 characters, of which every entry would be a copy;
the mark has 16 bytes, and no two different ones were ever seen to be equal.
"""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec

from projections.engine.answering import index_for
from projections.engine.query import Query, QueryRefused
from projections.engine.store import ShapedCollection
from projections.shape import Index

_MARK_BYTES = 16
_encode = msgspec.msgpack.Encoder().encode


def contained_table(collection: str, index: Index) -> str:
    """Return the name of the table that is an index of texts."""
    return f"{collection}__{index.name}"


@lru_cache(16_384)  # of a process; most tasks have the same few statuses, people and labels
def text_mark(compared: Sequence[Any], text: str) -> bytes:
    """Return the mark of a text in documents with the values *compared*."""
    # What is true is stored as 1.
    told = [int(value) if isinstance(value, bool) else value for value in compared]
    return blake2b(_encode((told, text)), digest_size=_MARK_BYTES).digest()


def compared_of(fields: Sequence[str], query: Query) -> list[tuple[Any, ...]]:
    """Return the values of *fields* that *query* asks for: of each of its choices."""
    asked = query.where
    if query.either is None:
        return [tuple([asked[field] for field in fields])]
    chosen, values = query.either
    return [
        tuple([value if field == chosen else asked[field] for field in fields]) for value in values
    ]


def looked_up(table: str, sort: str, row: str, count: int) -> str:
    """Return the comparison that a document has one of *count* marks in an index of texts.

    *table* is quoted; *sort* and *row* are where the statement has its sort key and its number.
    The plus keeps SQLite from comparing numbers with text, for which it would read all marks.
    """
    marked = "= ?" if count == 1 else f"IN ({','.join('?' * count)})"
    found = f"m.mark {marked} AND m.sort = +{sort} AND m.row = {row}"
    return f"EXISTS (SELECT 1 FROM {table} m WHERE {found})"


def table_beside(target: ShapedCollection, query: Query, field: str) -> tuple[str, Index]:
    """Return the index of the texts of *field* in the order of *query*, and its quoted table.

    :raises QueryRefused: there is none.
    """
    asked = {*query.where, *(query.either or ())[:1]}
    for index in target.shape.indexes:
        if index.contains == field and index.sort == query.sort and asked.issuperset(index.equal):
            return f'"{contained_table(target.collection, index)}"', index
    raise QueryRefused(f"no index of {target.shape.model} has the texts of {field} in this order")


def texts_count(target: ShapedCollection, query: Query, limit: int) -> tuple[str, list[Any]]:
    """Return the statement that counts up to *limit* documents that an index of texts finds."""
    index = index_for(target.shape, query)
    marks = [
        text_mark(compared, str(text))
        for compared in compared_of(index.equal, query)
        for text in query.texts
    ]
    table, places = contained_table(target.collection, index), ",".join("?" * len(marks))
    counted = f'SELECT 1 FROM "{table}" WHERE mark IN ({places}) LIMIT ?'
    return f"SELECT count(*) FROM ({counted})", [*marks, limit]
