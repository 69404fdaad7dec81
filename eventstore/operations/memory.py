"""Operational state in memory, for unit tests; lost when the process ends."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from eventstore.operations.imports.memory import MemoryImports
from eventstore.operations.memory_key_uses import MemoryKeyUses
from eventstore.operations.memory_mails import MemoryMails, is_free, machine_time
from eventstore.operations.records import (
    Attempt,
    Backlog,
    Delivery,
    DeliveryStatus,
    Endpoint,
    Job,
    Notice,
)
from eventstore.operations.sql import ATTEMPTS
from eventstore.operations.store import WRITE_MAX, AttemptKey, Changes, LeaseLost

R = TypeVar("R", bound=Struct)


class MemoryOperations(MemoryImports, MemoryMails, MemoryKeyUses):
    """The port as dictionaries; values are copied in and out, as a database would."""

    def __init__(self) -> None:
        super().__init__()
        self._endpoints: dict[str, Endpoint] = {}
        self._deliveries: dict[str, Delivery] = {}
        self._attempts: dict[str, Attempt] = {}
        self._notices: dict[str, Notice] = {}
        self._jobs: dict[str, Job] = {}

    async def create(self) -> None:
        """Nothing to create."""

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    # Leases -----------------------------------------------------------------

    async def held(self, lease_s: float) -> set[str]:
        return {each.id for each in self._endpoints.values() if not is_free(each.until, lease_s)}

    async def claim(self, owner: str, lease_s: float, wanted: Sequence[Endpoint]) -> list[Endpoint]:
        claimed: list[Endpoint] = []
        for each in wanted:
            known = self._endpoints.setdefault(each.id, replace(each))
            if is_free(known.until, lease_s):
                known.owner, known.until = owner, machine_time() + timedelta(seconds=lease_s)
                known.fence += 1
                claimed.append(replace(known))
        return claimed

    async def renew(self, owner: str, lease_s: float) -> set[str]:
        ours = [each for each in self._endpoints.values() if each.owner == owner]
        for each in ours:
            each.until = machine_time() + timedelta(seconds=lease_s)
        return {each.id for each in ours}

    async def release(self, owner: str, endpoint: str) -> None:
        known = self._endpoints.get(endpoint)
        if known is not None and known.owner == owner:
            known.owner, known.until = "", None

    async def at_work(self, lease_s_max: float) -> int:
        leases = [
            *(each.until for each in self._endpoints.values()),
            *(each.until for each in self._jobs.values()),
            *(each.until for each in self._mails.values() if each.open),
        ]
        return sum(not is_free(until, lease_s_max) for until in leases)

    async def endpoint(self, endpoint: str) -> Endpoint | None:
        return _copy(self._endpoints.get(endpoint))

    async def endpoints(self, after: str, limit: int) -> list[Endpoint]:
        found = sorted(name for name in self._endpoints if name > after)[:limit]
        return [replace(self._endpoints[name]) for name in found]

    # What a worker writes ---------------------------------------------------

    async def write(self, endpoint: Endpoint, changes: Changes) -> None:
        known = self._endpoints.get(endpoint.id)
        mine = (endpoint.fence, endpoint.writes)
        if known is None or (known.fence, known.writes) != mine:
            raise LeaseLost
        endpoint.writes += 1
        self._endpoints[known.id] = replace(known, writes=endpoint.writes, **changes.fields)
        self._deliveries.update((each.id, replace(each)) for each in changes.deliveries)
        for attempt in changes.attempts:
            self._attempts.setdefault(attempt.id, ATTEMPTS.read(ATTEMPTS.row(attempt)))
        self._notices.update((each.id, each) for each in changes.notices)

    async def forget(self, endpoint: Endpoint, after: int, limit: int = WRITE_MAX) -> int:
        await self.write(endpoint, Changes())
        removed = 0
        for rows in (self._deliveries, self._attempts):
            found = [r for r in rows.values() if r.endpoint == endpoint.id and r.seq > after]
            for row in sorted(found, key=attrgetter("seq"), reverse=True)[:limit]:
                del rows[row.id]
                removed += 1
        return removed

    async def nudged(self, owner: str) -> list[str]:
        return [each.id for each in self._endpoints.values() if each.nudged and each.owner == owner]

    # Deliveries -------------------------------------------------------------

    async def deliveries(
        self,
        endpoint: str,
        *,
        first: int = 1,
        before: int | None = None,
        limit: int,
        status: DeliveryStatus | None = None,
    ) -> list[Delivery]:
        found = [
            each
            for each in self._of(endpoint)
            if each.seq >= first
            and (before is None or each.seq < before)
            and (status is None or each.status is status)
        ]
        newest = sorted(found, key=attrgetter("seq"), reverse=True)
        return [replace(each) for each in newest[:limit]]

    async def open_deliveries(self, endpoint: str, after: str, limit: int) -> list[Delivery]:
        found = [each for each in self._of(endpoint) if each.open and each.id > after]
        return [replace(each) for each in sorted(found, key=attrgetter("id"))[:limit]]

    async def delivery(self, endpoint: str, delivery: str) -> Delivery | None:
        found = self._deliveries.get(delivery)
        return _copy(found) if found is not None and found.endpoint == endpoint else None

    async def attempts(
        self, delivery: str, *, before: AttemptKey | None = None, limit: int
    ) -> list[Attempt]:
        found = [
            each
            for each in self._attempts.values()
            if each.delivery == delivery and (before is None or (each.n, each.id) < before)
        ]
        return sorted(found, key=attrgetter("n", "id"), reverse=True)[:limit]

    async def backlog(self) -> Backlog:
        made = [each.created_at for each in self._deliveries.values() if each.open]
        return Backlog(len(made), min(made, default=None))

    def _of(self, endpoint: str) -> Iterable[Delivery]:
        return (each for each in self._deliveries.values() if each.endpoint == endpoint)

    # What people ask for ----------------------------------------------------

    async def put_back(self, endpoint: str, delivery: str, now: datetime) -> bool:
        found = self._deliveries.get(delivery)
        if found is None or found.endpoint != endpoint or found.open:
            return False
        found.status, found.open, found.next_at = DeliveryStatus.PENDING, True, now
        found.tries, found.ended_at = 0, None
        self._nudge(endpoint)
        return True

    async def add(self, delivery: Delivery) -> None:
        self._deliveries.setdefault(delivery.id, replace(delivery))
        self._nudge(delivery.endpoint)

    def _nudge(self, endpoint: str) -> None:
        if endpoint in self._endpoints:
            self._endpoints[endpoint].nudged = True

    # Notices and jobs -------------------------------------------------------

    async def note(self, notice: Notice) -> None:
        self._notices.setdefault(notice.id, notice)

    async def drop_notice(self, notice: str) -> None:
        self._notices.pop(notice, None)

    async def notices(self, endpoint: str | None, limit: int) -> list[Notice]:
        found = [n for n in self._notices.values() if endpoint in (None, n.endpoint)]
        by_id = sorted(found, key=attrgetter("id"))
        return sorted(by_id, key=attrgetter("at"), reverse=True)[:limit]

    async def keep_job(self, job: Job) -> None:
        self._jobs.setdefault(job.id, replace(job))

    async def take_job(self, owner: str, lease_s: float, now: datetime, of: str = "") -> Job | None:
        for job in sorted(self._jobs.values(), key=attrgetter("due_at")):
            wanted = job.id.startswith(of) if of else ":" not in job.id
            if wanted and job.due_at <= now and is_free(job.until, lease_s):
                job.owner, job.until = owner, machine_time() + timedelta(seconds=lease_s)
                job.fence += 1
                return replace(job)
        return None

    async def end_job(self, job: Job, due_at: datetime | None) -> None:
        known = self._jobs.get(job.id)
        if known is None or (known.owner, known.fence) != (job.owner, job.fence):
            return
        if due_at is None:
            del self._jobs[job.id]
        else:
            known.due_at, known.owner, known.until = due_at, "", None

    async def prune(self, before: datetime, limit: int) -> int:
        attempts = [a.id for a in self._attempts.values() if a.at < before][:limit]
        ended = [
            each.id
            for each in self._deliveries.values()
            if not each.open and each.ended_at is not None and each.ended_at < before
        ][:limit]
        mails = self._prune_mails(before, limit)
        for name in attempts:
            del self._attempts[name]
        for name in ended:
            del self._deliveries[name]
        return len(attempts) + len(ended) + mails


def _copy(record: R | None) -> R | None:
    return None if record is None else replace(record)
