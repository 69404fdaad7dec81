"""API state: what all routes of one process share."""

from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from uuid import UUID

from api.http.caller import Access
from api.http.problem import Problem
from api.http.rates import Rates
from projections.catalog import PROJECTIONS
from projections.engine.find import ReadModels
from projections.engine.progress import Progress
from runtime.monitor import Monitor
from runtime.system import System
from security.tokens import KeyRing

WRITERS_MAX = 50_000
"""Users whose last write is remembered; the least recent are dropped first: about 10 MB."""

_WAIT_S = 1.0
"""How long a reader waits for their own write before the response is 503."""


class LastWrites:
    """The position of each user's last event through this process."""

    def __init__(self) -> None:
        self._positions: OrderedDict[UUID, int] = OrderedDict()

    def note(self, user_id: UUID, position: int) -> None:
        self._positions[user_id] = max(position, self._positions.pop(user_id, 0))
        if len(self._positions) > WRITERS_MAX:
            self._positions.popitem(last=False)

    def of(self, user_id: UUID) -> int:
        return self._positions.get(user_id, 0)


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
        self.jwks = KeyRing(system.settings.jwt_access_secret).jwks()
        self.access = Access(system.commands.states)
        self.rates = Rates(system.settings.rate_limits)
        self.writes = LastWrites()
        self.progress = progress or Progress(system.read_store, system.log)
        self.monitor = Monitor(system, self.progress)
        self.models = ReadModels(system.read_store, self.progress, PROJECTIONS)

    async def caught_up(self, name: str, position: int) -> None:
        """Wait until the read model *name* includes everything up to *position*.

        :raises Problem: 503 if that takes too long.
        """
        if position and not await self.progress.reached(name, position, _WAIT_S):
            raise Problem(
                503,
                "read_model_behind",
                "Your change is recorded but not yet readable. Try again in a moment.",
                headers={"retry-after": "1"},
            )
