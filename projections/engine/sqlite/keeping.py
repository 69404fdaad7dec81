"""Statements of pages that are kept with the queries that ask for them."""

from msgspec.structs import replace

from projections.engine.query import Query
from projections.engine.sqlite.pages import AnyStatement, made_statement
from projections.engine.store import ShapedCollection


class _End(str):
    """Where a statement that is kept has a sort key, which each page has another one of."""

    __slots__ = ()


_ABOVE, _BELOW = _End("above"), _End("below")


def page_statement(target: ShapedCollection, query: Query) -> AnyStatement:
    """Return the statement that selects a page, which is kept for all pages of the list.

    :raises QueryRefused: no declared index answers it.
    """
    above, below = query.above, query.below
    kept = query.statements.get((target.collection, above is None, below is None))
    if kept is None:
        ends = None if above is None else _ABOVE, None if below is None else _BELOW
        kept = made_statement(target, replace(query, above=ends[0], below=ends[1]))
        query.statements[target.collection, above is None, below is None] = kept
    if above is None and below is None:
        return kept
    told = [above if p is _ABOVE else below if p is _BELOW else p for p in kept.parameters]
    return kept._replace(parameters=told)
