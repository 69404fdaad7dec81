"""API state: what all routes of one process share."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import cache
from uuid import UUID

from api.http.caller import Access
from api.http.problem import Problem
from api.http.rates import Rates
from api.upload import UploadPlaces
from audit.running import RunningExports
from commands.identity.key_use import KeyUses
from commands.identity.session_use import SessionUses
from commands.identity.tally import Tally
from commands.identity.token_use import TokenUse
from commands.key_check import KeyCheck
from domain.base import PLATFORM, OrgId, UserId
from domain.catalog import PUBLIC_EVENT_TYPES
from eventstore.partition import partition_of
from files.open import open_files
from projections.catalog import PROJECTIONS
from projections.engine.find import ReadModels
from projections.engine.progress import Progress
from runtime.health.monitor import Monitor
from runtime.system import System
from security.derivation import derive_key

WRITERS_MAX = 50_000
"""Users whose last write is remembered; the least recent are dropped first: about 10 MB."""

_WAIT_S = 1.0
"""How long a reader waits for their own write before the response is 503."""


_OF_THE_PLATFORM = frozenset(
    one.name for one in PROJECTIONS if PUBLIC_EVENT_TYPES.keys().isdisjoint(one.tags)
)
"""Read models of accounts, whose events belong to no organization."""


class LastWrites:
    """The position of each user's last event through this process, in each partition."""

    def __init__(self) -> None:
        self._positions: OrderedDict[UUID, dict[int, int]] = OrderedDict()

    def note(self, user_id: UUID, positions: Mapping[int, int]) -> None:
        """Remember that *user_id* wrote up to *positions*, by partition."""
        known = self._positions.pop(user_id, {})
        newer = {part: max(at, known.get(part, 0)) for part, at in positions.items()}
        self._positions[user_id] = {**known, **newer}
        if len(self._positions) > WRITERS_MAX:
            self._positions.popitem(last=False)

    def of(self, user_id: UUID, part: int) -> int:
        """Return the last position that *user_id* wrote in a partition, 0 if none is known."""
        return self._positions.get(user_id, {}).get(part, 0)


class ApiState:
    """Access checks, rate limits, read models and their progress for all routes of a process."""

    def __init__(
        self,
        system: System,
        describe: Callable[[], bytes],
        progress: Progress | None = None,
    ) -> None:
        """*describe* returns the API description; it is called lazily, as it is slow."""
        self.system, self.description = system, cache(describe)
        self.jwks = system.keys.ring.jwks()
        self.access = Access(system.commands.states, KeyCheck(system.commands.states, system.log))
        self.rates = Rates(system.settings.rate_limits, shared=system.redis_rates)
        self.files = open_files(system.settings)
        self.upload_places = UploadPlaces()
        self.download_links = derive_key(system.settings.jwt_refresh_secret, "download links")
        self.exports = RunningExports(system.operations)
        self.token_use = TokenUse(system.log)
        self.session_uses = SessionUses(system.log)
        self.failed_logins = Tally[UserId]()
        self.denials = Tally[tuple[OrgId, UserId, str]]()
        self.key_uses = KeyUses(system.operations)
        self.writes = LastWrites()
        self.progress = progress or Progress(system.read_store, system.log)
        self.monitor = Monitor(system, self.progress)
        self.models = ReadModels(system.read_store, self.progress, PROJECTIONS)

    def part_of(self, name: str, org_id: OrgId | None) -> int:
        """Return the partition that feeds a caller's documents of the read model *name*."""
        owner = PLATFORM if name in _OF_THE_PLATFORM or org_id is None else org_id
        return partition_of(owner, self.system.log.parts)

    async def caught_up(self, name: str, position: int, part: int) -> None:
        """Wait until the read model *name* includes partition *part* up to *position*.

        :raises Problem: 503 if that takes too long.
        """
        if position and not await self.progress.reached(name, position, _WAIT_S, part):
            raise Problem(
                503,
                "read_model_behind",
                "Your change is recorded but not yet readable. Try again in a moment.",
                headers={"retry-after": "1"},
            )
