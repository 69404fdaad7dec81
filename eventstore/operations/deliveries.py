"""Deliveries and their attempts in SQL: what users list, and what they ask for."""

from datetime import datetime

from eventstore.operations.columns import moment
from eventstore.operations.records import Attempt, Backlog, Delivery, DeliveryStatus
from eventstore.operations.sql import (
    ATTEMPTS,
    DELIVERIES,
    OperationalTables,
    Transaction,
    every,
    first,
)
from eventstore.operations.store import AttemptKey
from eventstore.recorded import microseconds


class DeliveryTables(OperationalTables):
    """The part of the port about deliveries."""

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
        wanted, values = ['"endpoint" = ?', '"seq" >= ?'], [endpoint, first]
        if before is not None:
            wanted.append('"seq" < ?')
            values.append(before)
        if status is not None:
            wanted.append('"status" = ?')
            values.append(status.value)
        statement = (
            f"SELECT {DELIVERIES.selected} FROM webhook_deliveries"
            f' WHERE {" AND ".join(wanted)} ORDER BY "seq" DESC LIMIT ?'
        )
        return await self._read(
            lambda on: every(DELIVERIES, on.execute(statement, (*values, limit)))
        )

    async def open_deliveries(self, endpoint: str, after: str, limit: int) -> list[Delivery]:
        statement = (
            f"SELECT {DELIVERIES.selected} FROM webhook_deliveries"
            ' WHERE "endpoint" = ? AND "open" = 1 AND "id" > ? ORDER BY "id" LIMIT ?'
        )
        values = (endpoint, after, limit)
        return await self._read(lambda on: every(DELIVERIES, on.execute(statement, values)))

    async def delivery(self, endpoint: str, delivery: str) -> Delivery | None:
        statement = (
            f"SELECT {DELIVERIES.selected} FROM webhook_deliveries"
            ' WHERE "id" = ? AND "endpoint" = ?'
        )
        values = (delivery, endpoint)
        return await self._read(lambda on: first(DELIVERIES, on.execute(statement, values)))

    async def attempts(
        self, delivery: str, *, before: AttemptKey | None = None, limit: int
    ) -> list[Attempt]:
        earlier = "" if before is None else ' AND ("n", "id") < (?, ?)'
        statement = (
            f"SELECT {ATTEMPTS.selected} FROM webhook_attempts"
            f' WHERE "delivery" = ?{earlier} ORDER BY "n" DESC, "id" DESC LIMIT ?'
        )
        values = (delivery, *(before or ()), limit)
        return await self._read(lambda on: every(ATTEMPTS, on.execute(statement, values)))

    async def backlog(self) -> Backlog:
        statement = 'SELECT count(*), min("created_at") FROM webhook_deliveries WHERE "open" = 1'
        ((count, oldest),) = await self._read(lambda on: on.execute(statement))
        return Backlog(count, None if oldest is None else moment(oldest))

    # What users ask for -----------------------------------------------------

    async def put_back(self, endpoint: str, delivery: str, now: datetime) -> bool:
        ended = '"id" = ? AND "endpoint" = ? AND "open" = 0'
        which = (delivery, endpoint)
        # The endpoint first, as a worker does: locking in opposite orders could deadlock.
        nudge = (
            'UPDATE webhook_endpoints SET "nudged" = 1 WHERE "id" = ?'
            f" AND EXISTS (SELECT 1 FROM webhook_deliveries WHERE {ended})"
        )
        again = (
            'UPDATE webhook_deliveries SET "status" = ?, "open" = 1, "next_at" = ?, "tries" = 0,'
            f' "ended_at" = NULL WHERE {ended} RETURNING "id"'
        )
        due = (DeliveryStatus.PENDING.value, microseconds(now))

        def work(on: Transaction) -> bool:
            on.execute(nudge, (endpoint, *which))
            return bool(on.execute(again, (*due, *which)))

        return await self._write(work)

    async def add(self, delivery: Delivery) -> None:
        row = DELIVERIES.row(delivery)
        nudge = 'UPDATE webhook_endpoints SET "nudged" = 1 WHERE "id" = ?'

        def work(on: Transaction) -> None:
            on.execute(nudge, (delivery.endpoint,))
            on.execute(DELIVERIES.insert_statement(replace=False), row)

        await self._write(work)

    async def prune(self, before: datetime, limit: int) -> int:
        old = (microseconds(before), limit)
        removals = (
            'DELETE FROM webhook_attempts WHERE "id" IN (SELECT "id" FROM webhook_attempts'
            f' WHERE "at" < ? LIMIT ?{self.SKIP_LOCKED}) RETURNING "id"',
            'DELETE FROM webhook_deliveries WHERE "id" IN (SELECT "id" FROM webhook_deliveries'
            f' WHERE "open" = 0 AND "ended_at" < ? LIMIT ?{self.SKIP_LOCKED}) RETURNING "id"',
            'DELETE FROM mails WHERE "id" IN (SELECT "id" FROM mails'
            f' WHERE "open" = 0 AND "ended_at" < ? LIMIT ?{self.SKIP_LOCKED}) RETURNING "id"',
        )
        return await self._write(
            lambda on: sum(len(on.execute(removal, old)) for removal in removals)
        )
