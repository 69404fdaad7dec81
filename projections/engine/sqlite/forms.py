"""What the statement of a page depends on, and the column that it shows."""

from typing import NamedTuple

from projections.engine.query import Query
from projections.engine.sqlite.contained import looked_up, table_beside
from projections.engine.sqlite.statements import quoted
from projections.engine.store import ShapedCollection

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
    several: bool
    residual: tuple[tuple[str, bool], ...]
    holding: tuple[tuple[str, int], ...]
    within: tuple[str, int] | None
    without: str | None
    among: bool
    at: bool

    @property
    def filters(self) -> bool:
        """Whether rows are left out that the index finds."""
        return any((self.residual, self.holding, self.within, self.without))

    @property
    def is_looked_up(self) -> bool:
        """Whether a document is read only if it has all texts, which other rows of marks tell."""
        return self.contains is not None and self.filters and not self.several


def shown_column(form: PageForm, target: ShapedCollection, query: Query) -> str:
    """Return the second column of a row: its JSON, NULL if a filter leaves it out."""
    compared = [
        f"d.{quoted(field)} {f'IN {AMONG}' if several else 'IS ?'}"
        for field, several in form.residual
    ]
    looked: list[str] = []
    for field, count in form.holding:
        if form.contains is None:
            held = f"SELECT 1 FROM json_each(d.{quoted(field)}) h WHERE h.value IN {AMONG}"
            compared.append(f"EXISTS ({held})")
        else:
            table, _ = table_beside(target, query, field)
            looked.append(looked_up(table, "s.sort", "s.row", count))
    if form.within is not None:
        field, ranges = quoted(form.within[0]), form.within[1]
        compared.append(f"({' OR '.join([f'd.{field} >= ? AND d.{field} < ?'] * ranges)})")
    if form.without is not None:
        compared.append(f"d.{quoted(form.without)} NOT IN {AMONG}")
    if form.is_looked_up:
        tests = " AND ".join(["d.row = s.row", *compared])
        shown = f"(SELECT d.json FROM {quoted(form.collection)} d WHERE {tests})"
        return (
            f", CASE WHEN {' AND '.join(looked)} THEN {shown} END j" if looked else f", {shown} j"
        )
    compared = [*looked, *compared]
    return (
        f", CASE WHEN {' AND '.join(compared)} THEN d.json END AS j" if compared else ", d.json j"
    )
