"""The SQL statements that select one page of a list.

SQLite joins the JSON of a page and returns it as one value, which takes a third less time than a
row for each item: nothing is made in Python per item, and the interpreter's lock is released once.
Rows that a filter leaves out never leave SQLite either.
"""

from itertools import chain
from typing import Any, NamedTuple

import msgspec

from projections.engine.answering import index_for, refuse_beyond_bounds
from projections.engine.query import RESIDUAL_ROWS_MAX, ListSlice, Query, cut
from projections.engine.sqlite.contained import (
    compared_of,
    contained_table,
    text_mark,
    texts_count,
)
from projections.engine.sqlite.entry_spans import entries_count, entries_statement
from projections.engine.sqlite.forms import (
    AMONG,
    Comparisons,
    PageForm,
    compared_with,
    comparisons,
    form_of,
)
from projections.engine.sqlite.gathering import gathered_count, gathered_statement
from projections.engine.sqlite.joining import joined, joined_once
from projections.engine.sqlite.keys import KeysStatement, keys_statement
from projections.engine.sqlite.sketch import TEXTS_MAX, Sketched, named, texts_told
from projections.engine.sqlite.spans import SpanStatement, span_count, span_statement
from projections.engine.sqlite.statements import quoted
from projections.engine.store import ShapedCollection
from projections.shape import Index

_FORMS_MAX = 1_024
_BEFORE = "{before}"
"""Where a statement compares that a document has none of the texts that were asked for before."""
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
    sketch: Sketched


class _Place(NamedTuple):
    """The parameters of one place of an index: of what is shown if it matches, and of the place."""

    others: list[Any]
    values: list[Any]


AnyStatement = PageStatement | SpanStatement | KeysStatement
_NOTHING = Comparisons([], [], [])


_texts: dict[tuple[Any, ...], _Texts] = {}
"""By the parts of a ``PageForm``."""


def made_statement(target: ShapedCollection, query: Query) -> AnyStatement:
    """Return the statement that selects a page.

    :raises QueryRefused: no declared index answers it.
    """
    refuse_beyond_bounds(target.shape, query)
    if query.between:
        return entries_statement(target, query)
    if query.bare:
        return keys_statement(target, query)
    if query.span is not None:
        return (gathered_statement if query.gathers else span_statement)(target, query)
    form = form_of(target, query)
    texts = _texts.get(form) or _prepared(PageForm(*form), target, query)
    bounds = [bound for bound in (query.above, query.below) if bound is not None]
    if query.at is not None:
        bounds.append(_encode(query.at).decode())
    found = _places(texts, query)
    if query.sifted:
        return _filtered(texts, query, found, bounds)
    if query.at is None and query.lookups == 1 and query.either is None and not query.keyed:
        [(_, values)] = found
        if query.filters:
            end = query.above if query.descending else query.below
            more = values if end is None else [*values, end]
            parameters = [query.limit, *more, *values, *bounds, query.limit]
        else:
            values += bounds
            parameters = [*values, query.limit - 1, *values, query.limit]
        return PageStatement(texts.joined, parameters, joined=True)
    places = [[*each.values, *bounds] for each in found]
    text, parameters = _merged(texts.rows, query, places, query.limit + 1)
    return PageStatement(text, parameters, joined=False)


def count_statement(target: ShapedCollection, query: Query, limit: int) -> tuple[str, list[Any]]:
    """Return the statement that counts up to *limit* documents that an index finds."""
    if query.between or query.gathers:
        return (entries_count if query.between else gathered_count)(target, query, limit)
    return (span_count if query.contains is None else texts_count)(target, query, limit)


def _places(texts: _Texts, query: Query) -> list[_Place]:
    """Return the parameters for each place of the index at which the query begins."""
    compared = compared_with(texts.sketch, query) if query.filters else _NOTHING
    if texts.marked is None:
        none: list[list[str]] = [[]]
        choices = none if query.either is None else [[one] for one in query.either[1]]
        among = [] if query.among is None else [_encode(query.among).decode()]
        found = [[*query.where.values(), *choice, *among] for choice in choices]
        if query.few:
            return [_Place([], [*values, *compared.all]) for values in found]
        return [_Place(compared.all, values) for values in found]
    places: list[_Place] = []
    for fixed in compared_of(texts.marked, query):
        marks = [text_mark(fixed, one) for one in compared.marked]
        others = [*compared.sketched, *marks, *compared.documents]
        for text, *before in _held(query):
            values = [text_mark(fixed, text), *before]
            if query.few:
                places.append(_Place([], [*values, *others]))
            else:
                places.append(_Place(others, values))
    return places


def _held(query: Query) -> list[list[Any]]:
    """Return the texts that the index is asked for, with the parameters of their comparisons.

    Of several, each comes with those before it: what has one of them was found by that already.
    """
    texts = query.texts
    if len(texts) == 1 or query.apart:
        return [[text] for text in texts]
    if len(texts) > TEXTS_MAX:
        return [[one, _encode(texts[:at]).decode()] for at, one in enumerate(texts)]
    told = [texts_told(str(each)) for each in texts]
    return [[one, *chain(*told[:at])] for at, one in enumerate(texts)]


def _filtered(texts: _Texts, query: Query, found: list[_Place], bounds: list[Any]) -> PageStatement:
    """Return the statement of a page whose rows a filter is applied to.

    SQLite ends as soon as it has all rows of the page and one more; otherwise it looks whether
    there are rows behind those that it was allowed to look at.
    """
    places = [[*each.others, *each.values, *bounds] for each in found]
    rows, looked = _merged(texts.rows, query, places, RESIDUAL_ROWS_MAX)
    places = [[*each.values, *bounds] for each in found]
    keys, passed = _merged(texts.keys, query, places, RESIDUAL_ROWS_MAX + 1)
    last = "max" if query.descending else "min"  # of the two: the last one looked at, the next one
    text = (
        f"SELECT k, j FROM ({rows}) WHERE j IS NOT NULL UNION ALL"
        f" SELECT {last}(k), NULL FROM (SELECT k FROM ({keys}) LIMIT 2 OFFSET ?)"
        " HAVING count(*) = 2 LIMIT ?"
    )
    parameters = [*looked, *passed, RESIDUAL_ROWS_MAX - 1, query.limit + 1]
    return PageStatement(text, parameters, joined=False)


def _merged(rows: str, query: Query, found: list[list[Any]], limit: int) -> tuple[str, list[Any]]:
    """Return the statement of the rows of one or more choices in order, and its parameters.

    Each choice's rows come from the index in order; SQLite only merges them.
    """
    direction = "DESC" if query.descending else "ASC"
    merged = " UNION ALL ".join([_at_place(rows, query, at) for at in range(len(found))])
    parameters = [value for each in found for value in each]
    return f"{merged} ORDER BY 1 {direction} LIMIT ?", [*parameters, limit]


def _at_place(rows: str, query: Query, at: int) -> str:
    """Return the statement of the rows of one place, without what was found at those before it."""
    if query.contains is None or _BEFORE not in rows:
        return rows
    before = at % len(query.texts)
    found = f"NOT {named(f'd.{quoted(query.contains[0])}', before)}" if before else "1"
    return rows.replace(_BEFORE, found)


def _prepared(form: PageForm, target: ShapedCollection, query: Query) -> _Texts:
    """Return the texts of a form, which are kept for the next query like it."""
    index = index_for(target.shape, query)
    if len(_texts) >= _FORMS_MAX:
        _texts.clear()
    compared = comparisons(form, target, query)
    sketch = Sketched(target, form.contains)
    source, tests, sort = _source(form, index, sketch.table if compared.sketched else "")
    if form.few:
        tests += compared.all
    rows = _rows(form, source, tests, sort, _shown(form, compared))
    keys = _rows(form, _keys_source(form, index) or source, tests, sort, "")
    whole = joined(form, rows, keys)
    if form.few:
        whole = joined_once(form, source, tests, sort, rows)
    marked = index.equal if index.contains else None
    found = _texts[form] = _Texts(rows, keys, whole, marked, sketch)
    return found


def _source(form: PageForm, index: Index, sketch: str = "") -> tuple[str, list[str], str]:
    """Return the tables with the index, the comparisons that it answers, and its sort key."""
    documents = quoted(form.collection)
    if form.among:  # the plus keeps SQLite from taking another index than that of the ids
        compared = [f"+d.{quoted(field)} IS ?" for field in form.where]
        return f"{documents} d", [*compared, f"d.id IN {AMONG}"], f"d.{quoted(form.sort)}"
    if form.contains is None:
        name = quoted(f"{form.collection}_{index.name}")
        tests = [f"d.{quoted(field)} IS ?" for field in form.where]
        return f"{documents} d INDEXED BY {name}", tests, f"d.{quoted(form.sort)}"
    tables, tests = [f"{quoted(contained_table(form.collection, index))} s"], ["s.mark = ?"]
    if 0 < form.several <= TEXTS_MAX:
        tests.append(_BEFORE)
    elif form.several:
        held = f"SELECT 1 FROM json_each(d.{quoted(form.contains)}) b WHERE b.value IN {AMONG}"
        tests.append(f"NOT EXISTS ({held})")
    if sketch:
        tables.append(f"{sketch} k ON k.row = s.row")
    if not form.is_looked_up:  # of these, documents are read only if they have all texts
        tables.append(f"{documents} d ON d.row = s.row")
    # Cross joins, so that SQLite begins with the index, and ends with the documents.
    return " CROSS JOIN ".join(tables), tests, "s.sort"


def _shown(form: PageForm, compared: Comparisons) -> str:
    """Return the second column of a row: its JSON, NULL if a filter leaves it out."""
    shown, tests = "d.json", [] if form.few else compared.all
    if form.is_looked_up:
        found = " AND ".join(["d.row = s.row", *compared.documents])
        shown = f"(SELECT d.json FROM {quoted(form.collection)} d WHERE {found})"
        tests = [*compared.sketched, *compared.marked]
    return (
        f", CASE WHEN {' AND '.join(tests)} THEN {shown} END AS j" if tests else f", {shown} AS j"
    )


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
