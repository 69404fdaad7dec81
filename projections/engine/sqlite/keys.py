"""The SQL statement that selects sort keys from an index of texts, and reads nothing else.

It returns them as one JSON array, which takes two fifths of the time of a row for each.
"""

from typing import Any, NamedTuple

import msgspec

from projections.engine.answering import index_for
from projections.engine.query import Key, ListSlice, Query, keys_slice
from projections.engine.sqlite.contained import contained_table, text_mark
from projections.engine.sqlite.statements import quoted
from projections.engine.store import ShapedCollection

_keys = msgspec.json.Decoder(list[Key]).decode


class KeysStatement(NamedTuple):
    """A statement and its parameters; it returns the keys, and one more if there is."""

    text: str
    parameters: list[Any]

    def slice_of(self, query: Query, rows: list[tuple[Any, ...]]) -> ListSlice:
        """Return the page that *rows*, which this statement has returned, are."""
        [(keys,)] = rows
        return keys_slice(query, _keys(keys))


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
    keys = f"SELECT sort FROM {table} WHERE {' AND '.join(tests)} ORDER BY sort {order} LIMIT ?"
    # The order of the array is that of the inner query, because it has a limit.
    statement = f"SELECT json_group_array(sort) FROM ({keys})"
    return KeysStatement(statement, [*parameters, query.limit + 1])


def _bounds(query: Query) -> list[Any]:
    return [bound for bound in (query.above, query.below) if bound is not None]
