"""Endpoints in SQL: their leases, and the writes of the workers that hold them."""

from collections.abc import Mapping, Sequence
from typing import Any

from eventstore.operations.records import Endpoint
from eventstore.operations.sql import (
    ATTEMPTS,
    DELIVERIES,
    ENDPOINTS,
    NOTICES,
    OperationalTables,
    Transaction,
    first,
    placeholders,
)
from eventstore.operations.store import CLAIM_MAX, WRITE_MAX, Changes, LeaseLost


class EndpointTables(OperationalTables):
    """The part of the port about endpoints."""

    # Leases -----------------------------------------------------------------

    async def held(self, lease_s: float) -> set[str]:
        statement = f'SELECT "id" FROM webhook_endpoints WHERE NOT {self._free(lease_s)}'
        return await self._read(lambda on: {name for (name,) in on.execute(statement)})

    async def claim(self, owner: str, lease_s: float, wanted: Sequence[Endpoint]) -> list[Endpoint]:
        names = [each.id for each in wanted]
        if not names:
            return []
        free = (
            f'SELECT "id" FROM webhook_endpoints WHERE "id" IN ({placeholders(names)})'
            f" AND {self._free(lease_s)}{self.SKIP_LOCKED}"
        )
        take = (
            f'UPDATE webhook_endpoints SET "owner" = ?, "fence" = "fence" + 1,'
            f' "until" = {self._until(lease_s)} WHERE "id" IN ({free})'
            f" RETURNING {ENDPOINTS.selected}"
        )

        def work(on: Transaction) -> list[Endpoint]:
            known = f'SELECT "id" FROM webhook_endpoints WHERE "id" IN ({placeholders(names)})'
            there = {name for (name,) in on.execute(known, names)}
            # Always in the same order: inserting in different orders could deadlock.
            ordered = sorted(wanted, key=lambda each: each.id)
            new = [ENDPOINTS.row(each) for each in ordered if each.id not in there]
            if new:
                on.execute_many(ENDPOINTS.insert_statement(replace=False), new)
            return [ENDPOINTS.read(row) for row in on.execute(take, (owner, *names))]

        return await self._write(work)

    async def renew(self, owner: str, lease_s: float) -> set[str]:
        mine = 'SELECT "id" FROM webhook_endpoints WHERE "owner" = ? ORDER BY "id"'
        names = await self._read(lambda on: [name for (name,) in on.execute(mine, (owner,))])
        renewed: set[str] = set()
        for start in range(0, len(names), CLAIM_MAX):
            renewed |= await self._renew(owner, lease_s, names[start : start + CLAIM_MAX])
        return renewed

    async def _renew(self, owner: str, lease_s: float, names: Sequence[str]) -> set[str]:
        statement = (
            f'UPDATE webhook_endpoints SET "until" = {self._until(lease_s)}'
            f' WHERE "id" IN ({placeholders(names)}) AND "owner" = ? RETURNING "id"'
        )
        values = (*names, owner)
        return await self._write(lambda on: {name for (name,) in on.execute(statement, values)})

    async def release(self, owner: str, endpoint: str) -> None:
        statement = (
            'UPDATE webhook_endpoints SET "owner" = ?, "until" = NULL'
            ' WHERE "id" = ? AND "owner" = ?'
        )
        await self._write(lambda on: on.execute(statement, ("", endpoint, owner)))

    async def at_work(self, lease_s_max: float) -> int:
        leased = f"NOT {self._free(lease_s_max)}"
        counts = " + ".join(
            f"(SELECT count(*) FROM {table} WHERE {leased})"
            for table in ("webhook_endpoints", "jobs")
        )
        mails = f'(SELECT count(*) FROM mails WHERE "open" = 1 AND {leased})'
        ((count,),) = await self._read(lambda on: on.execute(f"SELECT {counts} + {mails}"))
        return int(count)

    async def endpoint(self, endpoint: str) -> Endpoint | None:
        statement = f'SELECT {ENDPOINTS.selected} FROM webhook_endpoints WHERE "id" = ?'
        return await self._read(lambda on: first(ENDPOINTS, on.execute(statement, (endpoint,))))

    async def endpoints(self, after: str, limit: int) -> list[Endpoint]:
        statement = (
            f'SELECT {ENDPOINTS.selected} FROM webhook_endpoints WHERE "id" > ?'
            ' ORDER BY "id" LIMIT ?'
        )
        rows = await self._read(lambda on: on.execute(statement, (after, limit)))
        return [ENDPOINTS.read(row) for row in rows]

    async def nudged(self, owner: str) -> list[str]:
        statement = 'SELECT "id" FROM webhook_endpoints WHERE "owner" = ? AND "nudged" = 1'
        return await self._read(lambda on: [name for (name,) in on.execute(statement, (owner,))])

    # What a worker writes ---------------------------------------------------

    async def write(self, endpoint: Endpoint, changes: Changes) -> None:
        deliveries = [DELIVERIES.row(each) for each in changes.deliveries]
        attempts = [ATTEMPTS.row(each) for each in changes.attempts]

        def work(on: Transaction) -> None:
            _change(on, endpoint, changes.fields)
            if deliveries:
                on.execute_many(DELIVERIES.insert_statement(replace=True), deliveries)
            if attempts:
                on.execute_many(ATTEMPTS.insert_statement(replace=False), attempts)
            for notice in changes.notices:
                on.execute(NOTICES.insert_statement(replace=True), NOTICES.row(notice))

        await self._write(work)
        endpoint.writes += 1

    async def forget(self, endpoint: Endpoint, after: int, limit: int = WRITE_MAX) -> int:
        removals = [
            f'DELETE FROM {table} WHERE "id" IN (SELECT "id" FROM {table}'
            ' WHERE "endpoint" = ? AND "seq" > ? ORDER BY "seq" DESC LIMIT ?) RETURNING "id"'
            for table in ("webhook_deliveries", "webhook_attempts")
        ]
        values = (endpoint.id, after, limit)

        def work(on: Transaction) -> int:
            _change(on, endpoint, {})
            return sum(len(on.execute(removal, values)) for removal in removals)

        removed = await self._write(work)
        endpoint.writes += 1
        return removed


def _change(on: Transaction, endpoint: Endpoint, fields: Mapping[str, Any]) -> None:
    """Write *fields* of an endpoint, and count the write.

    :raises LeaseLost: the row is not as *endpoint* was read or last written.
    """
    settings = ", ".join(f'"{column}" = ?' for column in ("writes", *fields))
    mine = (
        f"UPDATE webhook_endpoints SET {settings}"
        ' WHERE "id" = ? AND "fence" = ? AND "writes" = ? RETURNING "id"'
    )
    values = [ENDPOINTS.value(column, value) for column, value in fields.items()]
    whose = (endpoint.id, endpoint.fence, endpoint.writes)
    if not on.execute(mine, (endpoint.writes + 1, *values, *whose)):
        raise LeaseLost
