"""The port of operational state: one contract suite runs against all of its adapters.

Every call is one short transaction that nobody can interrupt half-way, with a bounded wait for
locks and a deadline. What a worker writes carries its fence, so that one that has lost its lease
changes nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

from eventstore.append import LogUnavailable
from eventstore.operations.records import (
    Attempt,
    Backlog,
    Delivery,
    DeliveryStatus,
    Endpoint,
    Job,
    Notice,
)

CLAIM_MAX = 100
"""Endpoints claimed in one transaction: it is short, and several workers share what is free."""

WRITE_MAX = 200
"""Deliveries and attempts in one transaction: some 5 ms in SQLite, where one writes at a time."""

CALL_DEADLINE_S = 4.0
"""How long a call may take in all; a request is answered within 5 s."""

LOCK_WAIT_S = 2.0
"""How long a call waits for a lock that another process holds."""


class OperationsUnavailable(LogUnavailable):
    """The operational tables do not answer; what was asked may or may not have been written."""


class LeaseLost(Exception):
    """The endpoint is another worker's now, or not as this one left it; nothing was written."""


class Changes(Struct, kw_only=True):
    """What is to be written about one endpoint, all of it or nothing.

    ``fields`` are new values of the endpoint's own columns. Deliveries are written whole, whether
    they are new or known. With ``forget_after`` the deliveries of later sequences go first,
    attempts included: the log no longer has their events.
    """

    fields: dict[str, Any] = {}
    deliveries: list[Delivery] = []
    attempts: list[Attempt] = []
    notices: list[Notice] = []
    forget_after: int | None = None


class OperationalStore(Protocol):
    """Endpoints with their leases, deliveries, attempts, notices and jobs.

    Every method raises :class:`OperationsUnavailable` when the database does not answer in time.
    """

    async def create(self) -> None:
        """Create what is missing of the tables; in PostgreSQL this takes the owner's rights."""
        ...

    async def open(self) -> None:
        """Get ready for use; a file is made where there is none.

        :raises LogUnfit: the tables were never created.
        """
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...

    # Leases

    async def held(self) -> set[str]:
        """Return the endpoints that somebody sends for now."""
        ...

    async def claim(self, owner: str, lease_s: float, wanted: Sequence[Endpoint]) -> list[Endpoint]:
        """Return those of *wanted* (at most ``CLAIM_MAX``) that were free and are ours now.

        One that was never seen is made as it stands in *wanted*. What another worker is claiming
        at this moment is passed over, not waited for.
        """
        ...

    async def renew(self, owner: str, lease_s: float) -> set[str]:
        """Keep what *owner* holds for another *lease_s* seconds; return what that is."""
        ...

    async def release(self, owner: str, endpoint: str) -> None:
        """Let the next worker have an endpoint at once."""
        ...

    async def endpoint(self, endpoint: str) -> Endpoint | None:
        """Return the operational side of a webhook, None while no worker has seen it."""
        ...

    # What a worker writes

    async def write(self, endpoint: Endpoint, changes: Changes) -> None:
        """Write *changes*, and count that as one more of ``writes`` here and there.

        Both ``fence`` and ``writes`` must be what they were when *endpoint* was read or last
        written: the first catches a change of hands, the second a database that was set back.

        :raises LeaseLost: it is another's, or not as this worker left it; nothing was written.
        """
        ...

    async def nudged(self, owner: str) -> list[str]:
        """Return the endpoints of *owner* that somebody has put deliveries back for."""
        ...

    # Deliveries

    async def deliveries(
        self,
        endpoint: str,
        *,
        first: int = 1,
        before: int | None = None,
        limit: int,
        status: DeliveryStatus | None = None,
    ) -> list[Delivery]:
        """Return deliveries with sequences from *first* to below *before*, the newest first.

        Pings have no sequence and are not among them.
        """
        ...

    async def open_deliveries(self, endpoint: str, after: str, limit: int) -> list[Delivery]:
        """Return what is still to be sent, pings too, by id from above *after*."""
        ...

    async def delivery(self, endpoint: str, delivery: str) -> Delivery | None:
        """Return one delivery of a webhook, None if it has none of that id."""
        ...

    async def attempts(self, delivery: str, *, after: int = 0, limit: int) -> list[Attempt]:
        """Return attempts with a number above *after*, the first one first."""
        ...

    async def backlog(self) -> Backlog:
        """Return how much is open everywhere."""
        ...

    # What people ask for

    async def put_back(self, endpoint: str, delivery: str, now: datetime) -> bool:
        """Have a delivery that has ended sent again; return whether there was one."""
        ...

    async def add(self, delivery: Delivery) -> None:
        """Add a delivery that stands in no log, a ping."""
        ...

    # Notices

    async def note(self, notice: Notice) -> None:
        """Keep a notice; one of the same id is left as it is."""
        ...

    async def drop_notice(self, notice: str) -> None:
        """Remove a notice that no longer holds."""
        ...

    async def notices(self, endpoint: str | None, limit: int) -> list[Notice]:
        """Return the newest notices, of one endpoint or of all."""
        ...

    # Jobs

    async def keep_job(self, job: Job) -> None:
        """Add a job unless there is one of its id."""
        ...

    async def take_job(self, owner: str, lease_s: float, now: datetime) -> Job | None:
        """Return a job that is due at *now* and nobody is at, ours for *lease_s* seconds."""
        ...

    async def end_job(self, job: Job, due_at: datetime | None) -> None:
        """Have a job that is still ours come due again then, or never."""
        ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Remove at most *limit* attempts made, and as many deliveries ended, before then.

        Return how many rows were removed; call it again until that is 0.
        """
        ...
