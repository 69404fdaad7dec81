"""Imports of tasks in memory, for unit tests."""

from datetime import datetime

from msgspec.structs import replace

from eventstore.operations.records import ImportProgress


class MemoryImports:
    """The part of the port about imports of tasks, as a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self._imports: dict[str, ImportProgress] = {}

    async def keep_import(self, progress: ImportProgress) -> None:
        self._imports[progress.id] = replace(progress, refusals={**progress.refusals})

    async def import_of(self, org: str, import_id: str) -> ImportProgress | None:
        found = self._imports.get(import_id)
        return replace(found) if found is not None and found.org == org else None

    async def drop_imports(self, before: datetime) -> None:
        kept = {k: each for k, each in self._imports.items() if each.started_at >= before}
        self._imports = kept
