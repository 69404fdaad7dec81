"""Who sends for an endpoint: one worker at a time, by a lease that it renews each second.

The lease keeps two workers from sending at once; that no write of a worker that has lost it takes
effect is for its fence to see to, a number that grows with each change of hands and stands in the
condition of every write.
"""

from collections.abc import Iterable, Sequence

from deliveries.subscriptions import KnownWebhook
from eventstore.operations.records import Endpoint
from eventstore.operations.store import CLAIM_MAX, OperationalStore

LEASE_S = 3.0
"""How long an endpoint stands still after its worker was killed, at most; another worker looks
each second, so it goes on within 5 s."""


class Leases:
    """The endpoints that one worker, *owner*, holds."""

    def __init__(self, store: OperationalStore, owner: str, lease_s: float) -> None:
        self._store = store
        self._given_up: set[str] = set()
        self.owner = owner
        self.lease_s = lease_s

    async def acquire(self, wanted: Sequence[KnownWebhook]) -> list[Endpoint]:
        """Return those of *wanted* that were free and are ours now."""
        held = await self._store.held()
        free = [_beginning(known) for known in wanted if str(known.id) not in held]
        won: list[Endpoint] = []
        for first in range(0, len(free), CLAIM_MAX):
            chunk = free[first : first + CLAIM_MAX]
            won += await self._store.claim(self.owner, self.lease_s, chunk)
        return won

    async def renew(self) -> set[str]:
        """Keep what we hold for another while; return what that is."""
        return await self._store.renew(self.owner, self.lease_s)

    async def release(self, endpoints: Iterable[str] = ()) -> None:
        """Let the next worker have *endpoints* at once, and those that could not be given back."""
        self._given_up.update(endpoints)
        for endpoint in tuple(self._given_up):
            await self._store.release(self.owner, endpoint)
            self._given_up.discard(endpoint)


def _beginning(known: KnownWebhook) -> Endpoint:
    """Return the operational side of a webhook that no worker has seen."""
    return Endpoint(id=str(known.id), org=str(known.org_id), fan=known.webhook.from_seq)
