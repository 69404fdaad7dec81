"""The SQL statements that put what is within a span of one index in the order of another field."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from projections.engine.answering import index_for
from projections.engine.query import Key, ListSlice, Query
from projections.engine.sqlite.contained import compared_of, looked_up, table_beside, text_mark
from projections.engine.sqlite.sketch import Sketched
from projections.engine.sqlite.statements import quoted
from projections.engine.store import ShapedCollection

_encode = msgspec.json.Encoder().encode
_keys = msgspec.json.Decoder(list[Key]).decode
_lengths = msgspec.json.Decoder(list[int | None]).decode


class SpanStatement(NamedTuple):
    """A statement and its parameters.

    It returns one row: the JSON of the items, of which there is one more if there are more, joined
    by commas; their sort keys; and how long the JSON of each is. An item that only a sketch has
    taken for one of the list has none.
    """

    text: str
    parameters: list[Any]

    def slice_of(self, query: Query, rows: list[tuple[Any, ...]]) -> ListSlice:
        """Return the page that *rows*, which this statement has returned, are."""
        [(json, found, long)] = rows
        keys, lengths, limit = _keys(found), _lengths(long), query.limit
        more = len(keys) > limit
        if None in lengths:
            last = keys[-1]
            keys = [key for key, length in zip(keys, lengths, strict=True) if length is not None]
            if more:
                return ListSlice(json or b"", len(keys), last, keys)
        elif more:
            json = json[: -1 - (lengths[-1] or 0)]
            keys.pop()
        told = keys if query.keyed else ()
        return ListSlice(json or b"", len(keys), keys[-1] if more else None, told)


def page_in_order(documents: str, found: str, compared: Sequence[str] = ()) -> str:
    """Return the statement of a page; *found* selects the sort keys ``k`` and the rows ``r``.

    What is *compared* at last is compared in the documents of the page only. Items are joined by
    SQLite, which takes less time than to make one of each in Python. Their order is that of
    *found*, because it has a limit.
    """
    told = "CAST(group_concat(d.json) AS BLOB), json_group_array(p.k)"
    tests, join = ["d.row = p.r", *compared], "LEFT" if compared else "CROSS"
    return (
        f"SELECT {told}, json_group_array(length(d.json)) FROM ({found}) p"
        f" {join} JOIN {documents} d ON {' AND '.join(tests)}"
    )


class _SpanForm(NamedTuple):
    """The parts of a query that determine the statement; the others are its parameters."""

    documents: str
    name: str
    where: tuple[str, ...]
    either: str | None
    span: str
    bounds: tuple[str, ...]
    within: tuple[tuple[str, int], ...]
    sort: str
    descending: bool
    behind: tuple[str, ...]
    sketch: str
    sketched: tuple[str, ...]
    held: tuple[tuple[str, int], ...]
    """Tables of texts, and of how many marks a document has one there."""


def span_statement(target: ShapedCollection, query: Query) -> SpanStatement:
    """Return the statement that selects a page by a span.

    :raises QueryRefused: no declared index answers it.
    """
    form, found = _spanned(target, query)
    found += [end for _, ranges in query.within for both in ranges for end in both]
    found += [end for end in (query.above, query.below) if end is not None]
    held: list[tuple[str, int]] = []
    if query.holding:
        sketch = Sketched(target, query.holding[0][0])
        form = form._replace(sketch=sketch.table, sketched=tuple(sketch.comparisons(query)))
        found += sketch.parameters(query)
        for field, group in query.holding:
            table, marks = _marks(target, query, field, group)
            held.append((table, len(marks)))
            found += marks
    form = form._replace(
        within=tuple([(field, len(ranges)) for field, ranges in query.within]),
        behind=_operators(query.above, query.below),
        held=tuple(held),
    )
    return SpanStatement(_text_of(form), [*found, query.limit + 1])


def span_count(target: ShapedCollection, query: Query, limit: int) -> tuple[str, list[Any]]:
    """Return the statement that counts up to *limit* documents within a span, if there is any."""
    form, found = _spanned(target, query)
    return f"SELECT count(*) FROM (SELECT 1 FROM {_within(form)} LIMIT ?)", [*found, limit]


def _spanned(target: ShapedCollection, query: Query) -> tuple[_SpanForm, list[Any]]:
    """Return the form of what is within the span of a query, and its parameters."""
    field, low, high = query.span or (query.sort, None, None)
    form = _SpanForm(
        documents=quoted(target.collection),
        name=quoted(f"{target.collection}_{index_for(target.shape, query).name}"),
        where=tuple(query.where),
        either=None if query.either is None else query.either[0],
        span=field,
        bounds=_operators(low, high),
        within=(),
        sort=query.sort,
        descending=query.descending,
        behind=(),
        sketch="",
        sketched=(),
        held=(),
    )
    found: list[Any] = [*query.where.values()]
    if query.either is not None:
        found.append(_encode(query.either[1]).decode())
    return form, [*found, *[end for end in (low, high) if end is not None]]


def _marks(
    target: ShapedCollection, query: Query, field: str, group: Sequence[str]
) -> tuple[str, list[bytes]]:
    """Return the table of the texts of *field*, and the marks there of which one is asked for."""
    table, index = table_beside(target, query, field)
    places = compared_of(index.equal, query)
    return table, [text_mark(compared, text) for compared in places for text in group]


def _operators(low: Any, high: Any) -> tuple[str, ...]:
    return (">",) * (low is not None) + ("<",) * (high is not None)


def _within(form: _SpanForm, sketches: str = "") -> str:
    """Return the documents within a span, with the table of sketches if it is compared, too."""
    tests = [f"d.{quoted(field)} IS ?" for field in form.where]
    if form.either is not None:
        tests.append(f"d.{quoted(form.either)} IN (SELECT value FROM json_each(?))")
    tests += [f"d.{quoted(form.span)} {operator} ?" for operator in form.bounds]
    return f"{form.documents} d INDEXED BY {form.name}{sketches} WHERE {' AND '.join(tests)}"


@lru_cache(256)
def _text_of(form: _SpanForm) -> str:
    sketches = f" CROSS JOIN {form.sketch} k ON k.row = d.row" if form.sketch else ""
    sort, row = f"d.{quoted(form.sort)}", "k.row" if form.sketch else "d.row"
    more = [f"{sort} {operator} ?" for operator in form.behind]
    more = [*[_in_one(quoted(field), ranges) for field, ranges in form.within], *more]
    more += form.sketched
    more += [looked_up(table, sort, row, count) for table, count in form.held]
    rows = " AND ".join([_within(form, sketches), *more])
    direction = "DESC" if form.descending else "ASC"
    found = f"SELECT {sort} AS k, d.row AS r FROM {rows} ORDER BY k {direction} LIMIT ?"
    return page_in_order(form.documents, found)  # of what is shown alone the document is read


def _in_one(field: str, ranges: int) -> str:
    """Return the comparison that a field is in one of some ranges."""
    return f"({' OR '.join([f'd.{field} >= ? AND d.{field} < ?'] * ranges)})"
