"""Which declared index answers a query, and which queries are refused because none does."""

from itertools import chain

from projections.engine.query import (
    AMONG_MAX,
    AT_MAX,
    EITHER_MAX,
    LIMIT_MAX,
    LOOKUPS_MAX,
    SORT_KEYS_MAX,
    WITHOUT_MAX,
    Query,
    QueryRefused,
)
from projections.shape import Index, Kind, Shape

BY_ID = Index((), "id")
"""Every document is found by its id, without a declared index."""


def index_for(shape: Shape, query: Query) -> Index:
    """Return the index that answers *query*.

    :raises QueryRefused: there is none, or the query asks for too much.
    """
    if query.among is not None:
        if query.either or query.contains or len(query.among) > AMONG_MAX:
            raise QueryRefused(f"among up to {AMONG_MAX} documents, other filters are residual")
        refuse_beyond_bounds(shape, query)
        return BY_ID
    _refuse_mixed(query)
    sorted_by = query.sort if query.span is None else query.span[0]
    if query.between:
        sorted_by = query.contains[0] if query.contains else query.sort
    asked = query.where if query.either is None else {*query.where, query.either[0]}
    contains = query.contains[0] if query.contains else None
    for index in shape.indexes:
        # All fields before the sort key must be given, in any order, and no others.
        fits = index.sort == sorted_by and index.contains == contains
        if fits and len(index.equal) == len(asked) and all(f in asked for f in index.equal):
            break
    else:
        raise QueryRefused(f"no index of {shape.model} answers {query}")
    refuse_beyond_bounds(shape, query)
    return index


def _refuse_mixed(query: Query) -> None:
    """Refuse what no index answers together."""
    if query.between:
        told = not query.contains or query.of_entries or len(query.texts) != 1
        if told or query.span is not None or query.bare:
            raise QueryRefused("ranges are those of the entries by one name, in another order")
    if query.bare and (query.filters or query.lookups != 1 or not query.contains):
        raise QueryRefused("sort keys alone are those of one text in an index of texts")
    beside = query.residual or query.entered
    if query.span is not None and ((beside and not query.contains) or query.without):
        raise QueryRefused("beside a span, only ranges and texts are compared")
    if query.gathers and (query.of_entries or not query.finds_once):
        raise QueryRefused("what is gathered has a text, and is found once")
    if query.of_entries and (len(query.texts) != 1 or query.bare):
        raise QueryRefused("entries are found by one name, with their documents")


def refuse_beyond_bounds(shape: Shape, query: Query) -> None:
    """Refuse a query that asks for too much, whatever its index.

    :raises QueryRefused: it does.
    """
    _refuse_long_page(query)
    if query.either and not 1 <= len(query.either[1]) <= EITHER_MAX:
        raise QueryRefused(f"a choice has 1 to {EITHER_MAX} values")
    if not 1 <= query.lookups <= LOOKUPS_MAX:
        raise QueryRefused(f"a query begins at 1 to {LOOKUPS_MAX} places of its index")
    if query.either and query.either[0] in query.where:
        raise QueryRefused(f"{query.either[0]} is both fixed and a choice")
    if query.without and not 1 <= len(query.without[1]) <= WITHOUT_MAX:
        raise QueryRefused(f"1 to {WITHOUT_MAX} values can be left out")
    told = [(each.field, each.field_of_texts or each.field) for each in query.entered]
    for field in (*(field for field, _ in query.holding), *chain(*told)):
        if shape.kind(field) is not Kind.TEXTS:
            raise QueryRefused(f"{field} does not hold texts")
    within = [field for field, _ in query.within]
    for field in (*query.residual, *(query.without or ())[:1], *within):
        if shape.kind(field) is Kind.TEXTS:
            raise QueryRefused(f"{field} is a field of texts: use contains or holding")


def _refuse_long_page(query: Query) -> None:
    most = SORT_KEYS_MAX if query.bare else LIMIT_MAX
    if not 1 <= query.limit <= most:
        raise QueryRefused(f"a limit of {query.limit} is not from 1 to {most}")
    if query.at is not None and not 1 <= len(query.at) <= AT_MAX:
        raise QueryRefused(f"a query looks at 1 to {AT_MAX} sort keys")
