"""The SQL statements that gather what has a text within a span, and put it in another order.

The index of texts in the order of the span finds it; what other filters leave of it is compared in
sketches, as in a list that is in that order (see ``sketch``), and sorted last.
"""

from collections.abc import Sequence
from typing import Any

from projections.engine.answering import index_for
from projections.engine.query import Query
from projections.engine.sqlite.contained import compared_of, contained_table, text_mark
from projections.engine.sqlite.forms import PageForm, compared_with, comparisons, form_of
from projections.engine.sqlite.sketch import Sketched
from projections.engine.sqlite.spans import SpanStatement, page_in_order
from projections.engine.sqlite.statements import quoted
from projections.engine.store import ShapedCollection
from projections.shape import Index

_FORMS_MAX = 1_024
_Form = tuple[tuple[Any, ...], str, tuple[str, ...]]
"""The parts of a ``PageForm``, the index, and the comparisons of its entries."""
_texts: dict[_Form, str] = {}


def gathered_statement(target: ShapedCollection, query: Query) -> SpanStatement:
    """Return the statement that selects a page of what is gathered.

    :raises QueryRefused: no declared index answers it.
    """
    index = index_for(target.shape, query)
    found, parameters = _found(index, query)
    form = form_of(target, query), index.name, found
    text = _texts.get(form)
    if text is None:
        if len(_texts) >= _FORMS_MAX:
            _texts.clear()
        text = _texts[form] = _sorted(PageForm(*form[0]), target, query, found)
    compared = compared_with(Sketched(target, index.contains), query).all
    bounds = [bound for bound in (query.above, query.below) if bound is not None]
    return SpanStatement(text, [*parameters, *compared, *bounds, query.limit + 1])


def gathered_count(target: ShapedCollection, query: Query, limit: int) -> tuple[str, list[Any]]:
    """Return the statement that counts up to *limit* documents of which the sketches fit."""
    index = index_for(target.shape, query)
    found, parameters = _found(index, query)
    tests = comparisons(PageForm(*form_of(target, query)), target, query).sketched
    source = _source(target, index, sketched=bool(tests))
    counted = f"SELECT 1 FROM {source} WHERE {' AND '.join([*found, *tests])}"
    compared = compared_with(Sketched(target, index.contains), query).sketched
    return f"SELECT count(*) FROM ({counted} LIMIT ?)", [*parameters, *compared, limit]


def _found(index: Index, query: Query) -> tuple[tuple[str, ...], list[Any]]:
    """Return what is compared with the entries of the index, and its parameters."""
    _, low, high = query.span or (index.sort, None, None)
    places = compared_of(index.equal, query)
    marks = [text_mark(compared, str(text)) for compared in places for text in query.texts]
    tests = [f"s.mark IN ({','.join('?' * len(marks))})"]
    tests += ["s.sort > ?"] * (low is not None) + ["s.sort < ?"] * (high is not None)
    return (*tests,), [*marks, *[end for end in (low, high) if end is not None]]


def _source(target: ShapedCollection, index: Index, *, sketched: bool) -> str:
    """Return the index of texts, with the sketches if something is compared in them."""
    sketches = Sketched(target, index.contains).table if sketched else ""
    beside = f" CROSS JOIN {sketches} k ON k.row = s.row" if sketches else ""
    return f"{quoted(contained_table(target.collection, index))} s{beside}"


def _sorted(form: PageForm, target: ShapedCollection, query: Query, found: Sequence[str]) -> str:
    documents, sort = quoted(form.collection), f"d.{quoted(form.sort)}"
    compared, index = comparisons(form, target, query), index_for(target.shape, query)
    tests = [*found, *compared.all]
    tests += [f"{sort} > ?"] * form.above + [f"{sort} < ?"] * form.below
    sketched = _source(target, index, sketched=bool(compared.sketched))
    source = f"{sketched} CROSS JOIN {documents} d"
    # Cross joins, so that SQLite begins with the index. Of what is shown alone the JSON is read.
    return page_in_order(
        documents,
        f"SELECT {sort} AS k, d.row AS r FROM {source} ON d.row = s.row"
        f" WHERE {' AND '.join(tests)} ORDER BY k {'DESC' if form.descending else 'ASC'} LIMIT ?",
    )
