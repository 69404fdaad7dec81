"""The SQL of the operational tables that SQLite and PostgreSQL share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from eventstore.operations.columns import Table
from eventstore.operations.records import (
    Attempt,
    CrewMember,
    Delivery,
    Endpoint,
    ImportProgress,
    Job,
    KeyUsed,
    LogCursor,
    Mail,
    Notice,
    WorkLease,
)

T = TypeVar("T")

ENDPOINTS = Table("webhook_endpoints", Endpoint, '("owner")', '("until")')
DELIVERIES = Table(
    "webhook_deliveries",
    Delivery,
    '("endpoint", "seq")',
    '("endpoint", "status", "seq")',
    '("endpoint", "id") WHERE "open" = 1',
    '("created_at") WHERE "open" = 1',
    '("ended_at") WHERE "open" = 0',
)
ATTEMPTS = Table("webhook_attempts", Attempt, '("delivery", "n")', '("at")', '("endpoint", "seq")')
NOTICES = Table("webhook_notices", Notice, '("endpoint", "at")', '("at")')
JOBS = Table("jobs", Job, '("due_at")')
LEASES = Table("leases", WorkLease)
CREW_MEMBERS = Table("crew_members", CrewMember, '("crew", "member")')
MAILS = Table("mails", Mail, '("next_at") WHERE "open" = 1', '("ended_at") WHERE "open" = 0')
LOG_CURSORS = Table("log_cursors", LogCursor)
KEY_USES = Table("key_uses", KeyUsed)
IMPORTS = Table("imports", ImportProgress, '("started_at")')
ALL_TABLES: tuple[Table[Any], ...] = (
    ENDPOINTS,
    DELIVERIES,
    ATTEMPTS,
    NOTICES,
    JOBS,
    LEASES,
    CREW_MEMBERS,
    MAILS,
    LOG_CURSORS,
    KEY_USES,
    IMPORTS,
)


class Transaction(Protocol):
    """One transaction; ``?`` marks a value."""

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        ...

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each of *rows*."""
        ...


class OperationalTables(ABC):
    """The port in SQL; an adapter supplies the transactions and the time."""

    NOW: str
    """An expression for the time of the database in microseconds."""
    COLUMNS: str
    """The query for the names of the columns of a table."""
    SKIP_LOCKED: str
    """The clause that makes a SELECT skip rows that others are changing."""

    @abstractmethod
    async def _write(self, work: Callable[[Transaction], T]) -> T:
        """Run *work* in a transaction of its own that is durable once this returns."""

    @abstractmethod
    async def _read(self, work: Callable[[Transaction], T]) -> T:
        """Run *work*, which only reads."""

    def _free(self, lease_s: float, until: str = '"until"') -> str:
        # A lease that ends later than any could was written before the clock was set back.
        latest = f"{self.NOW} + {round(2_000_000 * lease_s)}"
        return f"({until} IS NULL OR {until} <= {self.NOW} OR {until} > {latest})"

    def _until(self, lease_s: float) -> str:
        return f"{self.NOW} + {round(1_000_000 * lease_s)}"

    def _create(self, to: Transaction) -> None:
        for table in ALL_TABLES:
            for statement in table.create_statements():
                to.execute(statement)
            known = {name for (name,) in to.execute(self.COLUMNS, (table.name,))}
            for statement in table.add_statements(known):
                to.execute(statement)


def placeholders(of: Sequence[object]) -> str:
    """Return a placeholder for each of *of*."""
    return ",".join("?" * len(of))


def every(table: Table[Any], rows: Iterable[Sequence[Any]]) -> list[Any]:
    """Return the records of *rows*."""
    return [table.read(row) for row in rows]


def first(table: Table[Any], rows: Sequence[Sequence[Any]]) -> Any:
    """Return the record of the first of *rows*, None if there is none."""
    return table.read(rows[0]) if rows else None
