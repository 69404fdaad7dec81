"""Imports of tasks in SQL."""

from datetime import datetime

from eventstore.operations.records import ImportProgress
from eventstore.operations.sql import IMPORTS, OperationalTables, first
from eventstore.recorded import microseconds


class ImportTables(OperationalTables):
    """The part of the port about imports of tasks."""

    async def keep_import(self, progress: ImportProgress) -> None:
        statement, row = IMPORTS.insert_statement(replace=True), IMPORTS.row(progress)
        await self._write(lambda on: on.execute(statement, row))

    async def import_of(self, org: str, import_id: str) -> ImportProgress | None:
        statement = f'SELECT {IMPORTS.selected} FROM imports WHERE "id" = ? AND "org" = ?'
        found: ImportProgress | None = await self._read(
            lambda on: first(IMPORTS, on.execute(statement, (import_id, org)))
        )
        return found

    async def drop_imports(self, before: datetime) -> None:
        statement = 'DELETE FROM imports WHERE "started_at" < ?'
        await self._write(lambda on: on.execute(statement, (microseconds(before),)))
