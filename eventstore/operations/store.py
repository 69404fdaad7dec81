"""The port of the operational state; one contract suite runs against all adapters.

Every call is one short, atomic transaction with a limited wait for locks and a deadline. A worker's
writes carry its fence, so that a worker that lost its lease changes nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

from eventstore.append import LogUnavailable
from eventstore.operations.imports.store import ImportStore
from eventstore.operations.records import (
    Attempt,
    Backlog,
    Delivery,
    DeliveryStatus,
    Endpoint,
    Job,
    LogCursor,
    Mail,
    Notice,
)

CLAIM_MAX = 100
"""Endpoints claimed in one transaction: few, so that several workers share them."""

WRITE_MAX = 50
"""Deliveries, and attempts, in one transaction: some 3 ms in SQLite, which has one writer at a
time. 200 rows took 9 ms on two busy cores."""

CALL_DEADLINE_S = 4.0
"""How long a call may take in all; a request must be answered within 5 s."""

LOCK_WAIT_S = 2.0
"""How long a call waits for a lock that another process holds."""


class OperationsUnavailable(LogUnavailable):
    """The operational tables do not answer; the write may or may not have happened."""


class LeaseLost(Exception):
    """Another worker has the endpoint, or has changed it; nothing was written."""


class Changes(Struct, kw_only=True):
    """The changes to write about one endpoint, all of them or none.

    ``fields`` are new values of the endpoint's own columns. Deliveries are written whole, new or
    known.
    """

    fields: dict[str, Any] = {}
    deliveries: list[Delivery] = []
    attempts: list[Attempt] = []
    notices: list[Notice] = []


AttemptKey = tuple[int, str]
"""The place of an attempt among those of its delivery: its number, and its id."""


class KeyUseStore(Protocol):
    """When each API key was last used."""

    async def note_key_use(self, key: str, at: datetime) -> None:
        """Store that an API key was used, unless a later use is stored already."""
        ...

    async def key_uses(self, keys: Sequence[str]) -> dict[str, datetime]:
        """Return when each of *keys* was last used, without those that never were."""
        ...


class CrewStore(Protocol):
    """The processes that share one kind of work."""

    async def heartbeat(self, crew: str, member: str, lease_s: float) -> list[str]:
        """Make *member* one of a crew for *lease_s* seconds; return all members, in order.

        Those whose time is over are forgotten.
        """
        ...

    async def leave(self, crew: str, member: str) -> None:
        """Take *member* out of a crew."""
        ...


class OperationalStore(KeyUseStore, ImportStore, CrewStore, Protocol):
    """Endpoints with their leases, deliveries, attempts, notices, jobs, mails and other leases.

    Every method raises :class:`OperationsUnavailable` when the database does not answer in time.
    """

    async def create(self) -> None:
        """Create the missing tables; in PostgreSQL this needs the rights of the owner."""
        ...

    async def open(self) -> None:
        """Prepare for use; create the file if there is none.

        :raises LogUnfit: the tables were never created.
        """
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...

    # Leases

    async def held(self, lease_s: float) -> set[str]:
        """Return the endpoints that are leased now."""
        ...

    async def claim(self, owner: str, lease_s: float, wanted: Sequence[Endpoint]) -> list[Endpoint]:
        """Claim the free ones of *wanted* (at most ``CLAIM_MAX``) and return them.

        One that does not exist is created as given in *wanted*. Those that another worker is
        claiming at the same moment are skipped.
        """
        ...

    async def renew(self, owner: str, lease_s: float) -> set[str]:
        """Renew the leases of *owner* for *lease_s* seconds; return their endpoints.

        At most ``CLAIM_MAX`` are renewed in one transaction.
        """
        ...

    async def release(self, owner: str, endpoint: str) -> None:
        """Release an endpoint for the next worker."""
        ...

    async def at_work(self, lease_s_max: float) -> int:
        """Return how many endpoints, jobs and mails are leased now, for *lease_s_max* at most."""
        ...

    async def endpoint(self, endpoint: str) -> Endpoint | None:
        """Return the operational side of a webhook, None until a worker has seen it."""
        ...

    async def endpoints(self, after: str, limit: int) -> list[Endpoint]:
        """Return the endpoints with ids above *after*, by id."""
        ...

    # What a worker writes

    async def write(self, endpoint: Endpoint, changes: Changes) -> None:
        """Write *changes*, and increment ``writes`` in the row and in *endpoint*.

        Both ``fence`` and ``writes`` must be unchanged since *endpoint* was read or last written:
        the first detects another owner, the second a database restored from a backup.

        :raises LeaseLost: another worker has it or has changed it; nothing was written.
        """
        ...

    async def forget(self, endpoint: Endpoint, after: int, limit: int = WRITE_MAX) -> int:
        """Remove at most *limit* deliveries, and as many attempts, of events later than *after*.

        The log no longer has their events. Return how many rows were removed; call it again until
        that is 0. It is a write as ``write`` is, under the same conditions.

        :raises LeaseLost: another worker has it or has changed it; nothing was removed.
        """
        ...

    async def nudged(self, owner: str) -> list[str]:
        """Return the endpoints of *owner* for which deliveries were put back."""
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
        """Return the open deliveries, including pings, with ids above *after*, by id."""
        ...

    async def delivery(self, endpoint: str, delivery: str) -> Delivery | None:
        """Return one delivery of a webhook, None if it has none of that id."""
        ...

    async def attempts(
        self, delivery: str, *, before: AttemptKey | None = None, limit: int
    ) -> list[Attempt]:
        """Return the attempts of a delivery earlier than *before*, the newest first."""
        ...

    async def backlog(self) -> Backlog:
        """Return how many deliveries are open in all."""
        ...

    # What users ask for

    async def put_back(self, endpoint: str, delivery: str, now: datetime) -> bool:
        """Reopen an ended delivery so that it is sent again; return whether there was one."""
        ...

    async def add(self, delivery: Delivery) -> None:
        """Add a ping, a delivery without an event in the log."""
        ...

    # Notices

    async def note(self, notice: Notice) -> None:
        """Store a notice, unless there is one with its id."""
        ...

    async def drop_notice(self, notice: str) -> None:
        """Remove a notice that no longer applies."""
        ...

    async def notices(self, endpoint: str | None, limit: int) -> list[Notice]:
        """Return the newest notices, of one endpoint or of all."""
        ...

    # Jobs

    async def keep_job(self, job: Job) -> None:
        """Add a job unless there is one with its id."""
        ...

    async def take_job(self, owner: str, lease_s: float, now: datetime, of: str = "") -> Job | None:
        """Return a due job that nobody is running, leased to *owner* for *lease_s* seconds.

        Its id begins with *of* or, without that, has no colon.
        """
        ...

    async def end_job(self, job: Job, due_at: datetime | None) -> None:
        """Reschedule a job for *due_at*, or remove it, if it is still leased to us."""
        ...

    # Leases of what only one process does at a time

    async def take_lease(self, lease: str, owner: str, lease_s: float) -> bool:
        """Take or renew a lease for *lease_s* seconds; return False if another owner has it."""
        ...

    async def drop_lease(self, lease: str, owner: str) -> None:
        """Give back a lease that *owner* has; one that another has stays."""
        ...

    # Mails

    async def log_cursor(self, cursor: str) -> LogCursor | None:
        """Return how far a partition was searched, None before the first search."""
        ...

    async def keep_mails(self, cursor: LogCursor, mails: Sequence[Mail]) -> None:
        """Add those of *mails* that are unknown, and move the cursor, in one transaction."""
        ...

    async def take_mail(self, owner: str, lease_s: float, now: datetime) -> Mail | None:
        """Return a due mail that nobody is sending, leased to *owner* for *lease_s* seconds."""
        ...

    async def end_mail(self, mail: Mail) -> bool:
        """Write the outcome of a mail and release it; return whether it was still ours."""
        ...

    async def mails(self, limit: int) -> list[Mail]:
        """Return the newest mails."""
        ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Remove at most *limit* attempts made, and as many deliveries that ended, before *before*.

        Return how many rows were removed; call it again until that is 0.
        """
        ...
