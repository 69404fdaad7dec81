"""Leases of work in memory, for unit tests."""

from datetime import datetime, timedelta

from eventstore.operations.memory_mails import is_free, machine_time
from eventstore.operations.records import WorkLease


class MemoryLeases:
    """The part of the port about leases of what only one process does at a time, and crews."""

    def __init__(self) -> None:
        super().__init__()
        self._work_leases: dict[str, WorkLease] = {}
        self._members: dict[tuple[str, str], datetime] = {}

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

    async def heartbeat(self, crew: str, member: str, lease_s: float) -> list[str]:
        self._members[crew, member] = machine_time() + timedelta(seconds=lease_s)
        for key, until in list(self._members.items()):
            if key[0] == crew and is_free(until, lease_s):
                del self._members[key]
        return sorted(name for of_crew, name in self._members if of_crew == crew)

    async def leave(self, crew: str, member: str) -> None:
        self._members.pop((crew, member), None)
