"""The part of the port of the operational state about imports of tasks."""

from datetime import datetime
from typing import Protocol

from eventstore.operations.records import ImportProgress


class ImportStore(Protocol):
    """How far imports of tasks are."""

    async def keep_import(self, progress: ImportProgress) -> None:
        """Store how far an import is, instead of what was stored of it before."""
        ...

    async def leave_import(self, progress: ImportProgress, lease: str, owner: str) -> bool:
        """Store how far an import is, and give back its lease, which *owner* has: both or none.

        Return False, and store nothing, if another owner has it.
        """
        ...

    async def import_of(self, org: str, import_id: str) -> ImportProgress | None:
        """Return how far an import of an organization is, None if there is none of that id."""
        ...

    async def imports_running(self, since: datetime) -> list[ImportProgress]:
        """Return the imports that began at *since* or later and have not ended, by their start."""
        ...

    async def drop_imports(self, before: datetime) -> None:
        """Forget the imports that began before a time."""
        ...
