"""The SQL statements that put what is within a span of one index in the order of another field."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from projections.engine.query import SPAN_MAX, TOO_WIDE, ListSlice, Query, cut, index_for
from projections.engine.sqlite.contained import compared_of, looked_up, table_beside, text_mark
from projections.engine.sqlite.statements import quoted
from projections.engine.store import ShapedCollection

_encode = msgspec.json.Encoder().encode


class SpanStatement(NamedTuple):
    """A statement and its parameters.

    It returns whether more rows are within the span than may be, without a second column; and a
    row for each item, its sort key and its JSON, and one more if there are more.
    """

    text: str
    parameters: list[Any]

    def slice_of(self, query: Query, rows: Sequence[tuple[Any, ...]]) -> ListSlice:
        """Return the page that *rows*, which this statement has returned, are."""
        [(is_too_wide, _)] = [row for row in rows if row[1] is None]
        if is_too_wide:
            return TOO_WIDE
        found = [(key, json) for key, json in rows if json is not None]
        return cut(query, sorted(found, reverse=query.descending))


class _SpanForm(NamedTuple):
    """The parts of a query that determine the statement; the others are its parameters."""

    documents: str
    name: str
    where: tuple[str, ...]
    either: str | None
    span: str
    bounds: tuple[str, ...]
    within: tuple[str, int] | None
    sort: str
    descending: bool
    behind: tuple[str, ...]
    held: tuple[tuple[str, int], ...]
    """Tables of texts, and of how many marks a document has one there."""


def span_statement(target: ShapedCollection, query: Query) -> SpanStatement:
    """Return the statement that selects a page by a span.

    :raises QueryRefused: no declared index answers it.
    """
    field, low, high = query.span or (query.sort, None, None)
    held = [_marks(target, query, name, group) for name, group in query.holding]
    form = _SpanForm(
        documents=quoted(target.collection),
        name=quoted(f"{target.collection}_{index_for(target.shape, query).name}"),
        where=tuple(query.where),
        either=None if query.either is None else query.either[0],
        span=field,
        bounds=_operators(low, high),
        within=None if query.within is None else (query.within[0], len(query.within[1])),
        sort=query.sort,
        descending=query.descending,
        behind=_operators(query.above, query.below),
        held=tuple([(table, len(marks)) for table, marks in held]),
    )
    found: list[Any] = [*query.where.values()]
    if query.either is not None:
        found.append(_encode(query.either[1]).decode())
    found += [end for end in (low, high) if end is not None]
    compared: list[Any] = []
    if query.within is not None:
        compared += [end for both in query.within[1] for end in both]
    compared += [end for end in (query.above, query.below) if end is not None]
    compared += [mark for _, marks in held for mark in marks]
    whole = [*found, SPAN_MAX, *found, *compared, query.limit + 1]
    return SpanStatement(_text_of(form), whole)


def _marks(
    target: ShapedCollection, query: Query, field: str, group: Sequence[str]
) -> tuple[str, list[bytes]]:
    """Return the table of the texts of *field*, and the marks there of which one is asked for."""
    table, index = table_beside(target, query, field)
    places = compared_of(index.equal, query)
    return table, [text_mark(compared, text) for compared in places for text in group]


def _operators(low: Any, high: Any) -> tuple[str, ...]:
    return (">",) * (low is not None) + ("<",) * (high is not None)


@lru_cache(256)
def _text_of(form: _SpanForm) -> str:
    tests = [f"d.{quoted(field)} IS ?" for field in form.where]
    if form.either is not None:
        tests.append(f"d.{quoted(form.either)} IN (SELECT value FROM json_each(?))")
    tests += [f"d.{quoted(form.span)} {operator} ?" for operator in form.bounds]
    span = f"{form.documents} d INDEXED BY {form.name} WHERE {' AND '.join(tests)}"
    more = [f"d.{quoted(form.sort)} {operator} ?" for operator in form.behind]
    if form.within is not None:
        field, ranges = quoted(form.within[0]), form.within[1]
        more.insert(0, f"({' OR '.join([f'd.{field} >= ? AND d.{field} < ?'] * ranges)})")
    sort = f"d.{quoted(form.sort)}"
    more += [looked_up(table, sort, "d.row", count) for table, count in form.held]
    rows = " AND ".join([span, *more])
    return (
        f"WITH n AS (SELECT EXISTS (SELECT 1 FROM {span} LIMIT 1 OFFSET ?) AS c)"
        " SELECT c, NULL FROM n UNION ALL SELECT p.k, d.json FROM"
        f" (SELECT d.{quoted(form.sort)} AS k, d.row AS r FROM {rows}"
        f" ORDER BY k {'DESC' if form.descending else 'ASC'}"
        " LIMIT (SELECT CASE WHEN c THEN 0 ELSE ? END FROM n)) p"
        f" CROSS JOIN {form.documents} d ON d.row = p.r"
    )
