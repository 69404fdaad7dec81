"""Leases of work in memory, for unit tests."""

from datetime import timedelta

from eventstore.operations.memory_mails import is_free, machine_time
from eventstore.operations.records import WorkLease


class MemoryLeases:
    """The part of the port about leases of what only one process does at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._work_leases: dict[str, WorkLease] = {}

    async def take_lease(self, lease: str, owner: str, lease_s: float) -> bool:
        known = self._work_leases.get(lease)
        if known is not None and known.owner != owner and not is_free(known.until, lease_s):
            return False
        until = machine_time() + timedelta(seconds=lease_s)
        self._work_leases[lease] = WorkLease(id=lease, owner=owner, until=until)
        return True

    async def drop_lease(self, lease: str, owner: str) -> None:
        known = self._work_leases.get(lease)
        if known is not None and known.owner == owner:
            del self._work_leases[lease]
