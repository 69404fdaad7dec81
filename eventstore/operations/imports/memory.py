"""Imports of tasks in memory, for unit tests."""

from datetime import datetime

from msgspec.structs import replace

from eventstore.operations.memory_leases import MemoryLeases
from eventstore.operations.records import ImportProgress, ImportState


class MemoryImports(MemoryLeases):
    """The part of the port about imports of tasks, as a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self._imports: dict[str, ImportProgress] = {}

    async def keep_import(self, progress: ImportProgress) -> None:
        self._imports[progress.id] = replace(progress, refusals={**progress.refusals})

    async def leave_import(self, progress: ImportProgress, lease: str, owner: str) -> bool:
        known = self._work_leases.get(lease)
        if known is None or known.owner != owner:
            return False
        del self._work_leases[lease]
        await self.keep_import(progress)
        return True

    async def import_of(self, org: str, import_id: str) -> ImportProgress | None:
        found = self._imports.get(import_id)
        return replace(found) if found is not None and found.org == org else None

    async def imports_running(self, since: datetime) -> list[ImportProgress]:
        found = (each for each in self._imports.values() if each.started_at >= since)
        running = (replace(each) for each in found if each.state is ImportState.RUNNING)
        return sorted(running, key=lambda each: each.started_at)

    async def drop_imports(self, before: datetime) -> None:
        kept = {k: each for k, each in self._imports.items() if each.started_at >= before}
        self._imports = kept
