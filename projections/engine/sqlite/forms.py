"""What the statement of a page depends on, and what it compares that the index does not answer."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from projections.engine.query import Query
from projections.engine.sqlite.contained import looked_up, table_beside
from projections.engine.sqlite.sketch import TEXTS_MAX, Sketched, named, texts_told
from projections.engine.sqlite.statements import quoted
from projections.engine.store import ShapedCollection

_encode = msgspec.json.Encoder().encode
AMONG = "(SELECT value FROM json_each(?))"
"""The values in a parameter that is a list as JSON."""


class PageForm(NamedTuple):
    """The parts of a query that determine the statement; the others are its parameters."""

    collection: str
    layout: str
    where: tuple[str, ...]
    sort: str
    descending: bool
    above: bool
    below: bool
    contains: str | None
    several: int
    """How many texts the index is asked for of which a document can have two; 0: one at most."""
    residual: tuple[tuple[str, bool], ...]
    holding: tuple[tuple[str, int], ...]
    within: tuple[tuple[str, int], ...]
    without: str | None
    entered: tuple[tuple[str, int, str], ...]
    """Fields of entries, of how many ranges, and the field of texts that may be there instead."""
    among: bool
    at: bool
    few: bool

    @property
    def filters(self) -> bool:
        """Whether rows are left out that the index finds."""
        return any((self.residual, self.holding, self.within, self.without, self.entered))

    @property
    def is_looked_up(self) -> bool:
        """Whether a document is read only if it has all texts, which other rows of marks tell."""
        return self.contains is not None and self.filters and not (self.several or self.few)


def form_of(target: ShapedCollection, query: Query) -> tuple[Any, ...]:
    """Return a tuple equal to the ``PageForm``, which takes longer to make than to look up."""
    contains, either = query.contains, query.either
    return (
        target.collection,
        target.shape.layout,
        tuple(query.where) if either is None else (*query.where, either[0]),
        query.sort,
        query.descending,
        query.above is not None,
        query.below is not None,
        None if contains is None else contains[0],
        0 if len(query.texts) == 1 or query.apart else len(query.texts),
        tuple([(name, isinstance(value, list)) for name, value in query.residual.items()]),
        tuple([(field, len(group)) for field, group in query.holding]),
        tuple([(field, len(ranges)) for field, ranges in query.within]),
        None if query.without is None else query.without[0],
        tuple([(each.field, len(each.ranges), each.field_of_texts) for each in query.entered]),
        query.among is not None,
        query.at is not None,
        query.few and query.filters,
    )


class Comparisons(NamedTuple):
    """What the index does not answer: what sketches tell, what marks tell, what documents tell.

    In this order, in which each takes longer than the one before. They are texts of comparisons, or
    the parameters of all of them.
    """

    sketched: list[Any]
    marked: list[Any]
    documents: list[Any]

    @property
    def all(self) -> list[Any]:
        """All of them in order."""
        return [*self.sketched, *self.marked, *self.documents]


def comparisons(form: PageForm, target: ShapedCollection, query: Query) -> Comparisons:
    """Return the comparisons of a form, whose parameters ``compared_with`` returns."""
    sketch = Sketched(target, form.contains)
    found = Comparisons(sketch.comparisons(query), [], [])
    for field, count in form.holding:
        if sketch.tells(field, count):  # what has the bits most likely has the text
            found.documents.append(named(f"d.{quoted(field)}", count))
        elif form.contains is None or form.contains == form.sort or query.gathers:
            texts = found.marked if form.contains is None else found.documents
            texts.append(_held(field, count))
        else:
            table, _ = table_beside(target, query, field)
            found.marked.append(looked_up(table, "s.sort", "s.row", count))
    for field, text in _of_fields(form):
        where = "sketched" if sketch.has(field) else "documents"
        getattr(found, where).append(text.format(sketch.name_of(field)))
    found.documents.extend([_entered(*each) for each in form.entered])
    return found


def _held(field: str, count: int) -> str:
    """Return the comparison that a document has one of *count* texts."""
    if count <= TEXTS_MAX:
        return named(f"d.{quoted(field)}", count)
    return f"EXISTS (SELECT 1 FROM json_each(d.{quoted(field)}) h WHERE h.value IN {AMONG})"


def _held_texts(texts: Sequence[str]) -> list[str]:
    """Return the parameters of ``_held``."""
    if len(texts) > TEXTS_MAX:
        return [_encode(texts).decode()]
    return [told for text in texts for told in texts_told(text)]


def _entered(field: str, ranges: int, texts: str) -> str:
    """Return the comparison that a document has an entry within some ranges, or one of texts."""
    within = " OR ".join(["e.value > ? AND e.value < ?"] * ranges)
    found = f"EXISTS (SELECT 1 FROM json_each(d.{quoted(field)}) e WHERE {within})"
    if not texts:
        return found
    held = f"SELECT 1 FROM json_each(d.{quoted(texts)}) h WHERE h.value IN {AMONG}"
    return f"({found} OR EXISTS ({held}))"


def _of_fields(form: PageForm) -> Iterator[tuple[str, str]]:
    """Yield the fields that are compared, each with the comparison of what will stand there."""
    for field, several in form.residual:
        yield field, f"{{0}} {f'IN {AMONG}' if several else 'IS ?'}"
    for field, ranges in form.within:
        yield field, f"({' OR '.join(['{0} >= ? AND {0} < ?'] * ranges)})"
    if form.without is not None:
        yield form.without, f"{{0}} NOT IN {AMONG}"


def compared_with(sketch: Sketched, query: Query) -> Comparisons:
    """Return the parameters of ``comparisons``; of an index of texts, those that have marks.

    Their marks depend on the place of the index.
    """
    found = Comparisons(sketch.parameters(query), [], [])
    for field, texts in query.holding:
        if sketch.tells(field, len(texts)):
            found.documents.extend([told for text in texts for told in texts_told(text)])
        elif query.contains is None or query.of_entries or query.gathers:
            where = found.marked if query.contains is None else found.documents
            where.extend(_held_texts(texts))
        else:
            found.marked.extend(texts)
    for field, value in query.residual.items():
        told = _encode(value).decode() if isinstance(value, list) else value
        (found.sketched if sketch.has(field) else found.documents).append(told)
    for field, ranges in query.within:
        ends = [end for both in ranges for end in both]
        (found.sketched if sketch.has(field) else found.documents).extend(ends)
    if query.without is not None:
        field, values = query.without
        told = _encode(values).decode()
        (found.sketched if sketch.has(field) else found.documents).append(told)
    for each in query.entered:
        found.documents.extend([end for both in each.ends for end in both])
        if each.field_of_texts:
            found.documents.append(_encode(each.texts).decode())
    return found
