"""The SQL statement that selects sort keys from an index of texts, and reads nothing else."""

from typing import Any, NamedTuple

from projections.engine.query import ListSlice, Query, index_for, keys_slice
from projections.engine.sqlite.contained import contained_table, text_mark
from projections.engine.sqlite.statements import quoted
from projections.engine.store import ShapedCollection


class KeysStatement(NamedTuple):
    """A statement and its parameters; it returns a row for each key, and one more if there is."""

    text: str
    parameters: list[Any]

    def slice_of(self, query: Query, rows: list[tuple[Any, ...]]) -> ListSlice:
        """Return the page that *rows*, which this statement has returned, are."""
        return keys_slice(query, [key for (key,) in rows])


def keys_statement(target: ShapedCollection, query: Query) -> KeysStatement:
    """Return the statement that selects a page of sort keys.

    :raises QueryRefused: no declared index answers it.
    """
    index = index_for(target.shape, query)
    [text] = query.texts
    mark = text_mark(tuple([query.where[field] for field in index.equal]), str(text))
    tests, parameters = ["mark = ?"], [mark, *_bounds(query)]
    tests += ["sort > ?"] * (query.above is not None) + ["sort < ?"] * (query.below is not None)
    order = "DESC" if query.descending else "ASC"
    table = quoted(contained_table(target.collection, index))
    statement = (
        f"SELECT sort FROM {table} WHERE {' AND '.join(tests)} ORDER BY sort {order} LIMIT ?"
    )
    return KeysStatement(statement, [*parameters, query.limit + 1])


def _bounds(query: Query) -> list[Any]:
    return [bound for bound in (query.above, query.below) if bound is not None]
