"""The SQL statements that put what is within a span of one index in the order of another field."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from projections.engine.query import SPAN_MAX, TOO_WIDE, ListSlice, Query, cut, index_for
from projections.engine.sqlite.statements import quoted
from projections.engine.store import ShapedCollection

_encode = msgspec.json.Encoder().encode


class SpanStatement(NamedTuple):
    """A statement and its parameters.

    It returns how many rows are within the span, up to one more than may be, without a second
    column; and a row for each item, its sort key and its JSON, and one more if there are more.
    """

    text: str
    parameters: list[Any]

    def slice_of(self, query: Query, rows: Sequence[tuple[Any, ...]]) -> ListSlice:
        """Return the page that *rows*, which this statement has returned, are."""
        [(count, _)] = [row for row in rows if row[1] is None]
        if count > SPAN_MAX:
            return TOO_WIDE
        found = [(key, json) for key, json in rows if json is not None]
        return cut(query, sorted(found, reverse=query.descending))


def span_statement(target: ShapedCollection, query: Query) -> SpanStatement:
    """Return the statement that selects a page by a span.

    :raises QueryRefused: no declared index answers it.
    """
    index = quoted(f"{target.collection}_{index_for(target.shape, query).name}")
    documents, sort = quoted(target.collection), f"d.{quoted(query.sort)}"
    compared, parameters = _within(query)
    tests, bounds = _spanned(query)
    behind = f" AND {sort} > ?" * (query.above is not None)
    behind += f" AND {sort} < ?" * (query.below is not None)
    ends = [end for end in (query.above, query.below) if end is not None]
    direction = "DESC" if query.descending else "ASC"
    span = f"{documents} d INDEXED BY {index} WHERE {' AND '.join(tests)}"
    text = (
        f"WITH n AS MATERIALIZED (SELECT count(*) AS c FROM (SELECT 1 FROM {span} LIMIT ?))"
        " SELECT c, NULL FROM n UNION ALL SELECT p.k, d.json FROM"
        f" (SELECT {sort} AS k, d.row AS r FROM {span} AND ({compared}){behind}"
        f" AND (SELECT c FROM n) <= ? ORDER BY k {direction} LIMIT ?) p"
        f" CROSS JOIN {documents} d ON d.row = p.r"
    )
    whole = [*bounds, SPAN_MAX + 1, *bounds, *parameters, *ends, SPAN_MAX, query.limit + 1]
    return SpanStatement(text, whole)


def _spanned(query: Query) -> tuple[list[str], list[Any]]:
    """Return what the index compares, and its parameters."""
    tests = [f"d.{quoted(field)} IS ?" for field in query.where]
    parameters: list[Any] = [*query.where.values()]
    if query.either is not None:
        field, values = query.either
        tests.append(f"d.{quoted(field)} IN (SELECT value FROM json_each(?))")
        parameters.append(_encode(values).decode())
    if query.span is not None:
        field, *ends = query.span
        for end, operator in zip(ends, "><", strict=True):
            if end is not None:
                tests.append(f"d.{quoted(field)} {operator} ?")
                parameters.append(end)
    return tests, parameters


def _within(query: Query) -> tuple[str, list[Any]]:
    """Return whether a row is what is asked for, and the parameters of that."""
    if query.within is None:
        return "1", []
    field, ranges = query.within
    tests = [f"d.{quoted(field)} >= ? AND d.{quoted(field)} < ?"] * len(ranges)
    return " OR ".join(tests), [end for ends in ranges for end in ends]
