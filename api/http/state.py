"""API state: what all routes of one process share."""

from collections.abc import Callable
from functools import cache

from api.background import Background
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
from commands.past.moment import LogTimes
from commands.past.results import PastResults
from domain.base import PLATFORM, OrgId, UserId
from domain.catalog import PUBLIC_EVENT_TYPES
from files.open import open_files
from projections.catalog import PROJECTIONS
from projections.engine.find import ReadModels
from projections.engine.progress import Progress
from runtime.health.monitor import Monitor
from runtime.system import System
from security.derivation import derive_key

_WAIT_S = 1.0
"""How long a reader waits for what was recorded before the response is 503."""


_OF_THE_PLATFORM = frozenset(
    one.name for one in PROJECTIONS if PUBLIC_EVENT_TYPES.keys().isdisjoint(one.tags)
)
"""Read models of accounts, whose events belong to no organization."""


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
        self.background = Background()
        self.times = LogTimes(system.log)
        self.past_results = PastResults(self.background.start)
        self.download_links = derive_key(system.settings.jwt_refresh_secret, "download links")
        self.exports = RunningExports(system.operations)
        self.token_use = TokenUse(system.log)
        self.session_uses = SessionUses(system.log)
        self.failed_logins = Tally[bytes]()
        self.denials = Tally[tuple[OrgId, UserId, str]]()
        self.key_uses = KeyUses(system.operations)
        self.progress = progress or Progress(system.read_store, system.log, system.wakeups.hurry)
        self.monitor = Monitor(system, self.progress)
        self.models = ReadModels(system.read_store, self.progress, PROJECTIONS)

    def owner_of(self, name: str, org_id: OrgId | None) -> OrgId:
        """Return whose events feed a caller's documents of the read model *name*."""
        return PLATFORM if name in _OF_THE_PLATFORM or org_id is None else org_id

    async def caught_up(self, name: str, position: int, part: int) -> None:
        """Wait until the read model *name* includes partition *part* up to *position*.

        :raises Problem: 503 if that takes too long.
        """
        if position and not await self.progress.reached(name, position, _WAIT_S, part):
            raise Problem(
                503,
                "read_model_behind",
                "What was recorded last is not readable yet. Try again in a moment.",
                headers={"retry-after": "1"},
            )
