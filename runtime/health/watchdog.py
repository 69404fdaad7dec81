"""Watchdog: detects a follower that does not advance although events are waiting."""

import logging
import time
from collections.abc import Callable

STALLED_S = 30.0
"""How long a follower may stand still while events wait before that is an error."""

_logger = logging.getLogger(__name__)


class Watchdog:
    """Watches one follower, and logs once when it stalls, advances again or catches up."""

    def __init__(
        self,
        name: str,
        *,
        stalled_s: float = STALLED_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self.behind = name, 0
        self._limit_s, self._now = stalled_s, now
        self._position = -1
        self._moved_at = now()
        self._stalled = self._was_current = False

    def observe(self, position: int, head: int) -> None:
        """Note that the follower is at *position* of a log whose end is *head*."""
        self.behind = max(0, head - position)
        if position != self._position or not self.behind:
            self._position, self._moved_at = position, self._now()
            if self._stalled:
                self._say(logging.WARNING, "moves again")
            self._stalled = False
        elif self.stalled and not self._stalled:
            self._stalled = True
            self._say(logging.ERROR, "stalled")
        if not self.behind and not self._was_current:
            self._say(logging.INFO, "caught up")
        self._was_current = not self.behind

    @property
    def standing_s(self) -> float:
        """Return for how long it has not advanced although events are waiting."""
        return self._now() - self._moved_at if self.behind else 0.0

    @property
    def stalled(self) -> bool:
        return self.standing_s > self._limit_s

    def _say(self, level: int, what: str) -> None:
        details = {"follower": self.name, "behind": self.behind, "position": self._position}
        _logger.log(level, "%s %s", self.name, what, extra={"details": details})
