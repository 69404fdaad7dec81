"""The SQL statements that put what is within ranges of entries in the order of another field."""

from typing import Any, NamedTuple

from msgspec.structs import replace

from projections.engine.answering import index_for
from projections.engine.query import Query
from projections.engine.sqlite.contained import compared_of, contained_table, text_mark
from projections.engine.sqlite.forms import PageForm, compared_with, comparisons, form_of
from projections.engine.sqlite.sketch import Sketched
from projections.engine.sqlite.spans import SpanStatement, page_in_order
from projections.engine.sqlite.statements import quoted
from projections.engine.store import ShapedCollection


class _Entries(NamedTuple):
    """Columns of entries within ranges, as a statement and its parameters."""

    text: str
    parameters: list[Any]


def entries_statement(target: ShapedCollection, query: Query) -> SpanStatement:
    """Return the statement that selects a page by ranges of entries.

    :raises QueryRefused: no declared index answers it.
    """
    # What is compared beside is compared as in the order of the entries.
    beside = replace(query, sort=_field(query), between=(), above=None, below=None)
    form = PageForm(*form_of(target, beside))
    sketch, compared = Sketched(target, form.contains), comparisons(form, target, beside)
    told, entries = compared_with(sketch, beside), _entries(target, query, "*")
    sort, bounds = sketch.name_of(query.sort), [(">", query.above), ("<", query.below)]
    tests = [f"{sort} {operator} ?" for operator, end in bounds if end is not None]
    found = [*entries.parameters, *[end for _, end in bounds if end is not None]]
    documents, direction = quoted(target.collection), "DESC" if query.descending else "ASC"
    more, last = "", list[Any]()
    if sketch.tells_all(beside) and sketch.has(query.sort):
        # What sketches leave is nearly all: that of the page alone is compared in its documents.
        tests, last = [*tests, *compared.sketched], compared.documents
        parameters = [*found, *told.sketched, query.limit + 1, *told.documents]
    else:
        more, tests = f" CROSS JOIN {documents} d ON d.row = s.row", [*tests, *compared.all]
        parameters = [*found, *told.all, query.limit + 1]
    # Of what is shown alone the document is read whole.
    text = (
        f"SELECT {sort} AS k, s.row AS r FROM ({entries.text}) s{more}"
        f" WHERE {' AND '.join(tests) or '1'} ORDER BY k {direction} LIMIT ?"
    )
    return SpanStatement(page_in_order(documents, text, last), parameters)


def entries_count(target: ShapedCollection, query: Query, limit: int) -> tuple[str, list[Any]]:
    """Return the statement that counts up to *limit* documents within ranges of entries."""
    entries = _entries(target, query, "1")
    counted = f"SELECT count(*) FROM (SELECT 1 FROM ({entries.text}) LIMIT ?)"
    return counted, [*entries.parameters, limit]


def _entries(target: ShapedCollection, query: Query, columns: str) -> _Entries:
    """Return *columns* of the entries that the index finds, each of another document."""
    index = index_for(target.shape, query)
    table = quoted(contained_table(target.collection, index))
    marks = [text_mark(place, str(query.texts[0])) for place in compared_of(index.equal, query)]
    found = [value for mark in marks for ends in query.between for value in (mark, *ends)]
    # No two ranges have anything in common, and no document has two entries by one name.
    one = f"SELECT {columns} FROM {table} WHERE mark = ? AND sort > ? AND sort < ?"
    return _Entries(" UNION ALL ".join([one] * query.lookups), found)


def _field(query: Query) -> str:
    return query.contains[0] if query.contains else query.sort
