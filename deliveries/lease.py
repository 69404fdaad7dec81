"""Leases: each endpoint is served by one worker at a time, which renews its lease every second.

The lease keeps two workers from sending at the same time. The fence, a number that rises with each
change of hands, is a condition of every write, so that a worker that lost its lease cannot write.
"""

from collections.abc import Iterable, Sequence

from deliveries.subscriptions import KnownWebhook
from eventstore.operations.records import Endpoint
from eventstore.operations.store import CLAIM_MAX, OperationalStore

LEASE_S = 3.0
"""How long an endpoint waits at most after its worker was killed; others check every second, so it
continues within 5 s."""


class Leases:
    """The endpoints that one worker, *owner*, holds."""

    def __init__(self, store: OperationalStore, owner: str, lease_s: float) -> None:
        self._store = store
        self._given_up: set[str] = set()
        self.owner = owner
        self.lease_s = lease_s

    async def acquire(self, wanted: Sequence[KnownWebhook]) -> list[Endpoint]:
        """Return those of *wanted* that were free and are now ours."""
        held = await self._store.held(self.lease_s)
        free = [_beginning(known) for known in wanted if str(known.id) not in held]
        won: list[Endpoint] = []
        for first in range(0, len(free), CLAIM_MAX):
            chunk = free[first : first + CLAIM_MAX]
            won += await self._store.claim(self.owner, self.lease_s, chunk)
        return won

    async def renew(self) -> set[str]:
        """Renew our leases; return the endpoints that we still hold."""
        return await self._store.renew(self.owner, self.lease_s)

    async def release(self, endpoints: Iterable[str] = ()) -> None:
        """Release *endpoints* for the next worker, and those that could not be released before."""
        self._given_up.update(endpoints)
        for endpoint in tuple(self._given_up):
            await self._store.release(self.owner, endpoint)
            self._given_up.discard(endpoint)


def _beginning(known: KnownWebhook) -> Endpoint:
    """Return the initial state of a webhook that no worker has seen yet."""
    return Endpoint(id=str(known.id), org=str(known.org_id), fan=known.webhook.from_seq)
