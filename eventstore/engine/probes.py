"""Reads of single rows by their keys, many in one statement.

In a database that is distributed, each statement names one partition as a value, so that the
database knows where to send it; elsewhere one statement asks about any of them.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from domain.base import OrgId
from eventstore.claim import ClaimKey, CountKey, Held
from eventstore.partition import partition_of
from eventstore.store import Mark, OwnCommit

_FEW = 8
"""So many rows are looked up by a statement of their own number."""

TOGETHER_IN_ONE = 4_096
"""Rows of at most four parameters that one statement is about: SQLite takes 32,766 of them."""

Rows = list[tuple[Any, ...]]
T = TypeVar("T")


class SqlProbes(ABC):
    """Reads by key of a SQL event database."""

    separate = False
    """Whether each statement is about one partition, because each may be on another machine."""

    def __init__(self, parts: int | None) -> None:
        self.parts = parts or 1

    def mark(self) -> Mark | None:
        return None  # it would take as long as what it stands for

    def own_commits(self, since: Mark, until: Mark) -> Sequence[OwnCommit] | None:
        return None  # nobody asks without marks

    @abstractmethod
    def _query(self, statement: str, parameters: Sequence[Any]) -> Rows:
        """Run a read outside a transaction."""

    @abstractmethod
    def _id(self, value: UUID) -> Any:
        """Return *value* as this database stores ids."""

    @abstractmethod
    def _uuid(self, value: Any) -> UUID:
        """Return a stored id as a UUID."""

    def _part(self, org_id: OrgId) -> int:
        return partition_of(org_id, self.parts)

    def _part_of_claim(self, claim: ClaimKey) -> int:
        return self._part(claim.org_id)

    def _part_of_count(self, count: CountKey) -> int:
        return self._part(count.org_id)

    def _apart(self, items: Iterable[T], part_of: Callable[[T], int]) -> list[list[T]]:
        """Return what each statement is about, by partition if they are separate."""
        if not self.separate:
            return _in_pieces(list(items))
        groups: dict[int, list[T]] = {}
        for item in items:
            groups.setdefault(part_of(item), []).append(item)
        return [piece for part in sorted(groups) for piece in _in_pieces(groups[part])]

    def holders(self, claims: Sequence[ClaimKey]) -> dict[ClaimKey, Held]:
        held: dict[ClaimKey, Held] = {}
        for some in self._apart(claims, self._part_of_claim):
            held.update(self._found_claims(some, self._query(*self._claims_query(some))))
        return {claim: held[claim] for claim in claims if claim in held}

    def counted(self, counts: Sequence[CountKey]) -> dict[CountKey, int]:
        found: dict[CountKey, int] = {}
        for some in self._apart(counts, self._part_of_count):
            found.update(paired(some, self._query(*self._counts_query(some))))
        return found

    def _streams_query(self, streams: Sequence[tuple[int, UUID]]) -> tuple[str, list[Any]]:
        # Not MAX: with a plan made while the table was empty, PostgreSQL would read all rows of an
        # organization for it. One index lookup per stream, in the order given.
        rows = [(part, self._id(stream)) for part, stream in streams]
        return self._probe(
            "SELECT version FROM events WHERE part = column1 AND stream_id = column2"
            " ORDER BY version DESC LIMIT 1",
            rows,
        )

    def _organizations_query(self, organizations: Sequence[OrgId]) -> tuple[str, list[Any]]:
        rows = [(self._part(org_id), self._id(org_id)) for org_id in organizations]
        return self._probe(
            "SELECT org_seq FROM events WHERE part = column1 AND org_id = column2"
            " ORDER BY org_seq DESC LIMIT 1",
            rows,
        )

    def _counts_query(self, counts: Sequence[CountKey]) -> tuple[str, list[Any]]:
        rows = [(self._part(c.org_id), self._id(c.within), c.scope) for c in counts]
        return self._probe(
            "SELECT n FROM counts WHERE part = column1 AND within = column2 AND scope = column3",
            rows,
        )

    def _claims_query(self, claims: Sequence[ClaimKey]) -> tuple[str, list[Any]]:
        rows = [(self._part(c.org_id), self._id(c.within), c.scope, c.value) for c in claims]
        values, parameters = _values(rows)
        statement = (
            "SELECT claims.scope, claims.within, claims.value, claims.holder, claims.free_at"
            f" FROM (VALUES {values}) AS asked JOIN claims ON part = column1"
            " AND within = column2 AND scope = column3 AND value = column4"
        )
        if self.separate:
            return f"{statement} WHERE part = ?", [*parameters, rows[0][0]]
        return statement, parameters

    def _probe(self, select: str, rows: list[tuple[Any, ...]]) -> tuple[str, list[Any]]:
        values, parameters = _values(rows)
        if self.separate:  # as a value, so that the engine knows where to send the statement
            select = select.replace("part = column1", "part = ? AND part = column1")
            parameters.insert(0, rows[0][0])
        return f"SELECT ({select}) FROM (VALUES {values}) AS asked", parameters

    def _found_claims(self, claims: Sequence[ClaimKey], rows: Rows) -> dict[ClaimKey, Held]:
        found = {
            (scope, self._uuid(within), bytes(value)): Held(self._uuid(holder), free_at)
            for scope, within, value, holder, free_at in rows
        }
        held = {claim: found.get(claim[1:]) for claim in claims}
        return {claim: holder for claim, holder in held.items() if holder is not None}


def _in_pieces(items: list[T]) -> list[list[T]]:
    starts = range(0, len(items), TOGETHER_IN_ONE)
    return [items[start : start + TOGETHER_IN_ONE] for start in starts]


def marks(count: int) -> str:
    """Return *count* placeholders."""
    return ",".join("?" * count)


def paired(asked: Sequence[Any], found: Rows) -> dict[Any, int]:
    """Return the result for each item, in the same order; none is left out."""
    return {key: row[0] for key, row in zip(asked, found, strict=False) if row[0] is not None}


def _values(rows: list[tuple[Any, ...]]) -> tuple[str, list[Any]]:
    """Return placeholders and parameters of *rows*.

    Many rows are padded with the last one to a power of two, so that the database sees few distinct
    statements and keeps them prepared.
    """
    padded = rows
    if len(rows) > _FEW:
        padded = rows + [rows[-1]] * ((1 << (len(rows) - 1).bit_length()) - len(rows))
    one = f"({marks(len(rows[0]))})"
    return ",".join([one] * len(padded)), [value for row in padded for value in row]
