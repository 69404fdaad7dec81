"""Imports of tasks in SQL."""

from datetime import datetime

from eventstore.operations.records import ImportProgress, ImportState
from eventstore.operations.sql import IMPORTS, OperationalTables, Transaction, every, first
from eventstore.recorded import microseconds


class ImportTables(OperationalTables):
    """The part of the port about imports of tasks."""

    async def keep_import(self, progress: ImportProgress) -> None:
        statement, row = IMPORTS.insert_statement(replace=True), IMPORTS.row(progress)
        await self._write(lambda on: on.execute(statement, row))

    async def leave_import(self, progress: ImportProgress, lease: str, owner: str) -> bool:
        statement, row = IMPORTS.insert_statement(replace=True), IMPORTS.row(progress)
        give_back = 'DELETE FROM leases WHERE "id" = ? AND "owner" = ? RETURNING "id"'

        def work(on: Transaction) -> bool:
            if not on.execute(give_back, (lease, owner)):
                return False
            on.execute(statement, row)
            return True

        return await self._write(work)

    async def import_of(self, org: str, import_id: str) -> ImportProgress | None:
        statement = f'SELECT {IMPORTS.selected} FROM imports WHERE "id" = ? AND "org" = ?'
        found: ImportProgress | None = await self._read(
            lambda on: first(IMPORTS, on.execute(statement, (import_id, org)))
        )
        return found

    async def imports_running(self, since: datetime) -> list[ImportProgress]:
        statement = (
            f"SELECT {IMPORTS.selected} FROM imports"
            ' WHERE "started_at" >= ? AND "state" = ? ORDER BY "started_at"'
        )
        asked = microseconds(since), ImportState.RUNNING.value
        return await self._read(lambda on: every(IMPORTS, on.execute(statement, asked)))

    async def drop_imports(self, before: datetime) -> None:
        statement = 'DELETE FROM imports WHERE "started_at" < ?'
        await self._write(lambda on: on.execute(statement, (microseconds(before),)))
