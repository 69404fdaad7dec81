"""The SQL statements that select one page of a list.

SQLite joins the JSON of a page and returns it as one value, which takes a third less time than a
row for each item: nothing is made in Python per item, and the interpreter's lock is released once.
"""

from typing import Any, NamedTuple

import msgspec

from projections.engine.query import Query, index_for, refuse_beyond_bounds
from projections.engine.sqlite.statements import quoted
from projections.engine.store import ShapedCollection

_FORMS_MAX = 1_024
_encode = msgspec.json.Encoder().encode


class PageStatement(NamedTuple):
    """A statement and its parameters.

    If it is ``joined``, it returns one row: the JSON of the page, the number of its items, and the
    key after which there are more. Otherwise it returns a row for each item: its sort key and its
    JSON, None if filtered out.
    """

    text: str
    parameters: list[Any]
    joined: bool


class _Form(NamedTuple):
    """The parts of a query that determine the statement; the others are its parameters."""

    collection: str
    layout: str
    where: tuple[str, ...]
    sort: str
    descending: bool
    above: bool
    below: bool
    contains: str | None
    residual: tuple[str, ...]
    without: str | None


class _Texts(NamedTuple):
    rows: str
    joined: str


_texts: dict[tuple[Any, ...], _Texts] = {}
"""By the parts of a ``_Form``."""


def page_statement(target: ShapedCollection, query: Query) -> PageStatement:
    """Return the statement that selects a page.

    :raises QueryRefused: no declared index answers it.
    """
    refuse_beyond_bounds(target.shape, query)
    contains, either = query.contains, query.either
    form = (  # a plain tuple, equal to its ``_Form``, which takes longer to make than to look up
        target.collection,
        target.shape.layout,
        tuple(query.where) if either is None else (*query.where, either[0]),
        query.sort,
        query.descending,
        query.above is not None,
        query.below is not None,
        None if contains is None else contains[0],
        tuple(query.residual),
        None if query.without is None else query.without[0],
    )
    texts = _texts.get(form) or _prepared(_Form(*form), target, query)
    values = [*query.where.values()]
    above, below = query.above, query.below
    bounds = [bound for bound in (above, below) if bound is not None]
    if either is not None:
        return _choice(texts, query, values, bounds)
    if contains is not None:
        values.append(contains[1])
    if query.filters or query.keyed:
        parameters = [*_filtered(query), *values, *bounds, query.rows_max]
        return PageStatement(texts.rows, parameters, joined=False)
    end = above if query.descending else below
    more = values if end is None else [*values, end]
    parameters = [query.limit, *more, *values, *bounds, query.limit]
    return PageStatement(texts.joined, parameters, joined=True)


def _filtered(query: Query) -> list[Any]:
    """Return the parameters of what the index does not answer."""
    left_out = [] if query.without is None else [_encode(query.without[1]).decode()]
    return [*query.residual.values(), *left_out]


def _choice(texts: _Texts, query: Query, values: list[Any], bounds: list[Any]) -> PageStatement:
    # Each value's rows come from the index in order; SQLite only merges them.
    assert query.either is not None  # noqa: S101 - for the type checkers
    choices = query.either[1]
    parameters: list[Any] = []
    for choice in choices:
        parameters += [*_filtered(query), *values, choice]
        parameters += [query.contains[1]] if query.contains else []
        parameters += [*bounds, query.rows_max]
    direction = "DESC" if query.descending else "ASC"
    merged = " UNION ALL ".join([f"SELECT * FROM ({texts.rows})"] * len(choices))
    text = f"{merged} ORDER BY 1 {direction} LIMIT ?"
    return PageStatement(text, [*parameters, query.rows_max], joined=False)


def _prepared(form: _Form, target: ShapedCollection, query: Query) -> _Texts:
    """Return the texts of a form, which are kept for the next query like it."""
    index_name = index_for(target.shape, query).name
    if len(_texts) >= _FORMS_MAX:
        _texts.clear()
    source, tests, sort = _source(form, index_name)
    rows = _rows(form, source, tests, sort)
    found = _texts[form] = _Texts(rows, _joined(form, source, tests, sort, rows))
    return found


def _source(form: _Form, index_name: str) -> tuple[str, list[str], str]:
    """Return the tables with the index, the comparisons that it answers, and its sort key."""
    documents = quoted(form.collection)
    index = quoted(f"{form.collection}_{index_name}")
    if form.contains is None:
        at, source = "d", f"{documents} d INDEXED BY {index}"
        fields = form.where
    else:
        side = quoted(f"{form.collection}__{index_name}")
        at, source = "s", f"{side} s INDEXED BY {index} JOIN {documents} d ON d.row = s.row"
        fields = (*form.where, form.contains)
    return source, [f"{at}.{quoted(field)} IS ?" for field in fields], f"{at}.{quoted(form.sort)}"


def _rows(form: _Form, source: str, tests: list[str], sort: str) -> str:
    tests = [*tests, *[f"{sort} > ?"] * form.above, *[f"{sort} < ?"] * form.below]
    shown = "d.json"
    compared = [f"d.{quoted(field)} IS ?" for field in form.residual]
    if form.without is not None:
        compared.append(f"d.{quoted(form.without)} NOT IN (SELECT value FROM json_each(?))")
    if compared:
        shown = f"CASE WHEN {' AND '.join(compared)} THEN d.json END"
    direction = "DESC" if form.descending else "ASC"
    return (
        f"SELECT {sort} AS k, {shown} AS j FROM {source} WHERE {' AND '.join(tests)}"
        f" ORDER BY {sort} {direction} LIMIT ?"
    )


def _joined(form: _Form, source: str, tests: list[str], sort: str, rows: str) -> str:
    """Return the statement that joins the JSON of *rows* and looks whether there are more.

    The order of what is joined is that of the inner query, because it has a limit.
    """
    last, beyond, end = ("min", "<", ">") if form.descending else ("max", ">", "<")
    has_end = form.above if form.descending else form.below
    tests = [*tests, *[f"{sort} {end} ?"] * has_end, f"{sort} {beyond} p.k"]
    more = f"EXISTS (SELECT 1 FROM {source} WHERE {' AND '.join(tests)})"
    page = f"SELECT CAST(group_concat(j) AS BLOB) AS j, count(*) AS n, {last}(k) AS k FROM ({rows})"
    return f"SELECT p.j, p.n, CASE WHEN p.n = ? AND {more} THEN p.k END FROM ({page}) p"
