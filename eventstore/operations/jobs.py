"""Jobs, leases, crews and notices in SQL."""

from datetime import datetime

from eventstore.operations.records import Job, Notice
from eventstore.operations.sql import (
    JOBS,
    NOTICES,
    OperationalTables,
    Transaction,
    every,
    first,
)
from eventstore.recorded import microseconds


class JobTables(OperationalTables):
    """The part of the port about jobs, leases, crews and notices."""

    # Notices ----------------------------------------------------------------

    async def note(self, notice: Notice) -> None:
        statement, row = NOTICES.insert_statement(replace=False), NOTICES.row(notice)
        await self._write(lambda on: on.execute(statement, row))

    async def drop_notice(self, notice: str) -> None:
        statement = 'DELETE FROM webhook_notices WHERE "id" = ?'
        await self._write(lambda on: on.execute(statement, (notice,)))

    async def notices(self, endpoint: str | None, limit: int) -> list[Notice]:
        whose, values = ("", ()) if endpoint is None else (' WHERE "endpoint" = ?', (endpoint,))
        statement = (
            f"SELECT {NOTICES.selected} FROM webhook_notices{whose}"
            ' ORDER BY "at" DESC, "id" LIMIT ?'
        )
        return await self._read(lambda on: every(NOTICES, on.execute(statement, (*values, limit))))

    # Jobs -------------------------------------------------------------------

    async def keep_job(self, job: Job) -> None:
        statement, row = JOBS.insert_statement(replace=False), JOBS.row(job)
        await self._write(lambda on: on.execute(statement, row))

    async def take_job(self, owner: str, lease_s: float, now: datetime, of: str = "") -> Job | None:
        wanted, pattern = ("LIKE", f"{of}%") if of else ("NOT LIKE", "%:%")
        due = (
            f'SELECT "id" FROM jobs WHERE "due_at" <= ? AND "id" {wanted} ?'
            f" AND {self._free(lease_s)}"
            f' ORDER BY "due_at" LIMIT 1{self.SKIP_LOCKED}'
        )
        take = (
            'UPDATE jobs SET "owner" = ?, "fence" = "fence" + 1,'
            f' "until" = {self._until(lease_s)} WHERE "id" IN ({due}) RETURNING {JOBS.selected}'
        )
        values = (owner, microseconds(now), pattern)
        if not await self._read(
            lambda on: on.execute(due.removesuffix(self.SKIP_LOCKED), values[1:])
        ):
            return None  # the usual case, which takes no lock
        return await self._write(lambda on: first(JOBS, on.execute(take, values)))

    async def end_job(self, job: Job, due_at: datetime | None) -> None:
        mine = '"id" = ? AND "owner" = ? AND "fence" = ?'
        whose = (job.id, job.owner, job.fence)
        if due_at is None:
            await self._write(lambda on: on.execute(f"DELETE FROM jobs WHERE {mine}", whose))
            return
        again = f'UPDATE jobs SET "due_at" = ?, "owner" = ?, "until" = NULL WHERE {mine}'
        await self._write(lambda on: on.execute(again, (microseconds(due_at), "", *whose)))

    # Leases -----------------------------------------------------------------

    async def take_lease(self, lease: str, owner: str, lease_s: float) -> bool:
        of = 'leases."until"'
        statement = (
            f'INSERT INTO leases ("id", "owner", "until") VALUES (?, ?, {self._until(lease_s)})'
            ' ON CONFLICT ("id") DO UPDATE SET "owner" = excluded."owner",'
            ' "until" = excluded."until" WHERE leases."owner" = excluded."owner"'
            f" OR {self._free(lease_s, of)} RETURNING leases.id"
        )
        return bool(await self._write(lambda on: on.execute(statement, (lease, owner))))

    async def drop_lease(self, lease: str, owner: str) -> None:
        statement = 'DELETE FROM leases WHERE "id" = ? AND "owner" = ?'
        await self._write(lambda on: on.execute(statement, (lease, owner)))

    # Crews ------------------------------------------------------------------

    async def heartbeat(self, crew: str, member: str, lease_s: float) -> list[str]:
        keep = (
            'INSERT INTO crew_members ("id", "crew", "member", "until")'
            f" VALUES (?, ?, ?, {self._until(lease_s)})"
            ' ON CONFLICT ("id") DO UPDATE SET "until" = excluded."until"'
        )
        forget = f'DELETE FROM crew_members WHERE "crew" = ? AND {self._free(lease_s)}'
        members = 'SELECT "member" FROM crew_members WHERE "crew" = ?'

        def work(on: Transaction) -> list[str]:
            on.execute(keep, (f"{crew}/{member}", crew, member))
            on.execute(forget, (crew,))
            return sorted(name for (name,) in on.execute(members, (crew,)))

        return await self._write(work)

    async def leave(self, crew: str, member: str) -> None:
        statement = 'DELETE FROM crew_members WHERE "id" = ?'
        await self._write(lambda on: on.execute(statement, (f"{crew}/{member}",)))
