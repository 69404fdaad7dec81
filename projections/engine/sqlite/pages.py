"""The SQL statements that select one page of a list.

SQLite joins the JSON of a page and returns it as one value, which takes a third less time than a
row for each item: nothing is made in Python per item, and the interpreter's lock is released once.
Rows that a filter leaves out never leave SQLite either.
"""

from typing import Any, NamedTuple

import msgspec

from projections.engine.query import (
    RESIDUAL_ROWS_MAX,
    ListSlice,
    Query,
    cut,
    index_for,
    refuse_beyond_bounds,
)
from projections.engine.sqlite.contained import (
    compared_of,
    contained_table,
    text_mark,
)
from projections.engine.sqlite.forms import AMONG, PageForm, shown_column
from projections.engine.sqlite.keys import KeysStatement, keys_statement
from projections.engine.sqlite.spans import SpanStatement, span_statement
from projections.engine.sqlite.statements import quoted
from projections.engine.store import ShapedCollection
from projections.shape import Index

_FORMS_MAX = 1_024
_encode = msgspec.json.Encoder().encode
PageRows = list[tuple[Any, ...]]


class PageStatement(NamedTuple):
    """A statement and its parameters.

    If it is ``joined``, it returns one row: the JSON of the page, the number of its items, and the
    key after which there are more. Otherwise it returns a row for each item, its sort key and its
    JSON, and one more item if there are more. If a filter has looked at as many rows as it may, the
    last row is the key of the last one that it has looked at, without JSON.
    """

    text: str
    parameters: list[Any]
    joined: bool

    def slice_of(self, query: Query, rows: PageRows) -> ListSlice:
        """Return the page that *rows*, which this statement has returned, are."""
        if not self.joined:
            end = rows[-1][0] if rows and rows[-1][1] is None else None
            return cut(query, rows if end is None else rows[:-1], end)
        [(json, count, next_key)] = rows
        return ListSlice(json or b"", count, next_key)


class _Texts(NamedTuple):
    """The statements of a form: the rows of an index, their keys alone, the page joined."""

    rows: str
    keys: str
    joined: str
    marked: tuple[str, ...] | None
    """The fields that the index compares, of an index of texts."""


class _Place(NamedTuple):
    """The parameters of one place of an index: of the texts that are looked up, and of the rest."""

    held: list[Any]
    values: list[Any]


_texts: dict[tuple[Any, ...], _Texts] = {}
"""By the parts of a ``PageForm``."""


def page_statement(
    target: ShapedCollection, query: Query
) -> PageStatement | SpanStatement | KeysStatement:
    """Return the statement that selects a page.

    :raises QueryRefused: no declared index answers it.
    """
    refuse_beyond_bounds(target.shape, query)
    if query.span is not None or query.bare:
        return (keys_statement if query.bare else span_statement)(target, query)
    contains, either = query.contains, query.either
    form = (  # a plain tuple, equal to its ``PageForm``, which takes longer to make than to look up
        target.collection,
        target.shape.layout,
        tuple(query.where) if either is None else (*query.where, either[0]),
        query.sort,
        query.descending,
        query.above is not None,
        query.below is not None,
        None if contains is None else contains[0],
        len(query.texts) > 1 and not query.apart,
        tuple([(name, isinstance(value, list)) for name, value in query.residual.items()]),
        tuple([(field, len(group)) for field, group in query.holding]),
        None if query.within is None else (query.within[0], len(query.within[1])),
        None if query.without is None else query.without[0],
        query.among is not None,
        query.at is not None,
    )
    texts = _texts.get(form) or _prepared(PageForm(*form), target, query)
    bounds = [bound for bound in (query.above, query.below) if bound is not None]
    if query.at is not None:
        bounds.append(_encode(query.at).decode())
    elif query.lookups == 1 and either is None and not query.filters and not query.keyed:
        [(_, values)] = _places(texts, query)
        values += bounds
        parameters = [*values, query.limit - 1, *values, query.limit]
        return PageStatement(texts.joined, parameters, joined=True)
    found = [_Place(held, [*values, *bounds]) for held, values in _places(texts, query)]
    return _filtered(texts, query, found) if query.filters else _listed(texts, query, found)


def _places(texts: _Texts, query: Query) -> list[_Place]:
    """Return the parameters for each place of the index at which the query begins."""
    if texts.marked is None:
        none: list[list[str]] = [[]]
        choices = none if query.either is None else [[one] for one in query.either[1]]
        among = [] if query.among is None else [_encode(query.among).decode()]
        return [_Place([], [*query.where.values(), *choice, *among]) for choice in choices]
    return [
        _Place(
            [text_mark(compared, one) for _, group in query.holding for one in group],
            [text_mark(compared, text), *before],
        )
        for compared in compared_of(texts.marked, query)
        for text, *before in _held(query)
    ]


def _held(query: Query) -> list[list[Any]]:
    """Return the texts that the index is asked for, with the parameters of their comparisons.

    Of several, each comes with those before it: what has one of them was found by that already.
    """
    texts = query.texts
    if len(texts) == 1 or query.apart:
        return [[text] for text in texts]
    return [[one, _encode(texts[:at]).decode()] for at, one in enumerate(texts)]


def _listed(texts: _Texts, query: Query, found: list[_Place]) -> PageStatement:
    """Return the statement of a page that no filter is applied to."""
    places = [place.values for place in found]
    text, parameters = _merged(texts.rows, query, places, query.limit + 1)
    return PageStatement(text, parameters, joined=False)


def _filtered(texts: _Texts, query: Query, found: list[_Place]) -> PageStatement:
    """Return the statement of a page whose rows a filter is applied to.

    SQLite ends as soon as it has all rows of the page and one more; otherwise it looks whether
    there are rows behind those that it was allowed to look at.
    """
    compared = _compared_with(query, by_marks=texts.marked is not None)
    places = [[*held, *compared, *values] for held, values in found]
    rows, looked = _merged(texts.rows, query, places, RESIDUAL_ROWS_MAX)
    keys, passed = _merged(
        texts.keys, query, [each.values for each in found], RESIDUAL_ROWS_MAX + 1
    )
    last = "max" if query.descending else "min"  # of the two: the last one looked at, the next one
    text = (
        f"SELECT k, j FROM ({rows}) WHERE j IS NOT NULL UNION ALL"
        f" SELECT {last}(k), NULL FROM (SELECT k FROM ({keys}) LIMIT 2 OFFSET ?)"
        " HAVING count(*) = 2 LIMIT ?"
    )
    parameters = [*looked, *passed, RESIDUAL_ROWS_MAX - 1, query.limit + 1]
    return PageStatement(text, parameters, joined=False)


def _compared_with(query: Query, *, by_marks: bool) -> list[Any]:
    """Return the parameters of what the index does not answer, but those of marks."""
    parameters: list[Any] = [
        _encode(value).decode() if isinstance(value, list) else value
        for value in query.residual.values()
    ]
    if not by_marks:
        parameters += [_encode(texts).decode() for _, texts in query.holding]
    if query.within is not None:
        parameters += [end for ends in query.within[1] for end in ends]
    if query.without is not None:
        parameters.append(_encode(query.without[1]).decode())
    return parameters


def _merged(rows: str, query: Query, found: list[list[Any]], limit: int) -> tuple[str, list[Any]]:
    """Return the statement of the rows of one or more choices in order, and its parameters.

    Each choice's rows come from the index in order; SQLite only merges them.
    """
    direction = "DESC" if query.descending else "ASC"
    merged = " UNION ALL ".join([rows] * len(found))
    parameters = [value for each in found for value in each]
    return f"{merged} ORDER BY 1 {direction} LIMIT ?", [*parameters, limit]


def _prepared(form: PageForm, target: ShapedCollection, query: Query) -> _Texts:
    """Return the texts of a form, which are kept for the next query like it."""
    index = index_for(target.shape, query)
    if len(_texts) >= _FORMS_MAX:
        _texts.clear()
    source, tests, sort = _source(form, index)
    shown = shown_column(form, target, query)
    rows = _rows(form, source, tests, sort, shown)
    keys = _rows(form, _keys_source(form, index) or source, tests, sort, "")
    joined = _joined(form, rows, keys)
    marked = index.equal if index.contains else None
    found = _texts[form] = _Texts(rows, keys, joined, marked)
    return found


def _source(form: PageForm, index: Index) -> tuple[str, list[str], str]:
    """Return the tables with the index, the comparisons that it answers, and its sort key."""
    documents = quoted(form.collection)
    if form.among:  # the plus keeps SQLite from taking another index than that of the ids
        compared = [f"+d.{quoted(field)} IS ?" for field in form.where]
        return f"{documents} d", [*compared, f"d.id IN {AMONG}"], f"d.{quoted(form.sort)}"
    if form.contains is None:
        name = quoted(f"{form.collection}_{index.name}")
        tests = [f"d.{quoted(field)} IS ?" for field in form.where]
        return f"{documents} d INDEXED BY {name}", tests, f"d.{quoted(form.sort)}"
    marked, tests = quoted(contained_table(form.collection, index)), ["s.mark = ?"]
    if form.several:
        held = f"SELECT 1 FROM json_each(d.{quoted(form.contains)}) b WHERE b.value IN {AMONG}"
        tests.append(f"NOT EXISTS ({held})")
    if form.is_looked_up:  # only of what has all texts the document is read
        return f"{marked} s", tests, "s.sort"
    # A cross join, so that SQLite does not begin with the documents.
    return f"{marked} s CROSS JOIN {documents} d ON d.row = s.row", tests, "s.sort"


def _rows(form: PageForm, source: str, tests: list[str], sort: str, shown: str) -> str:
    """Return the statement of the rows of an index, before their order and their number."""
    tests = [*tests, *[f"{sort} > ?"] * form.above, *[f"{sort} < ?"] * form.below]
    tests += [f"{sort} IN {AMONG}"] * form.at
    return f"SELECT {sort} AS k{shown} FROM {source} WHERE {' AND '.join(tests)}"


def _keys_source(form: PageForm, index: Index) -> str | None:
    """Return the table that tells the sort keys of an index without its documents, None if none."""
    if form.among or form.contains is None or form.several:
        return None
    return f"{quoted(contained_table(form.collection, index))} s"


def _joined(form: PageForm, rows: str, keys: str) -> str:
    """Return the statement that joins the JSON of *rows* and looks whether there are more.

    The order of what is joined is that of the inner query, because it has a limit. Of the last key
    of a full page and the next one, the former is returned: to look for them in the index takes
    less than to compare every key of the page.
    """
    last, direction = ("max", "DESC") if form.descending else ("min", "ASC")
    ends = f"SELECT k FROM ({keys} ORDER BY 1 {direction} LIMIT 2 OFFSET ?)"
    more = f"SELECT {last}(k) FROM ({ends}) HAVING count(*) = 2"
    page = f"{rows} ORDER BY 1 {direction} LIMIT ?"
    return f"SELECT CAST(group_concat(j) AS BLOB), count(*), ({more}) FROM ({page})"
