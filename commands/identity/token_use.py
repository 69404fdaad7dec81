"""Token use: the newest generation of a session's access tokens that a client has used.

It tells a refresh whose response was lost from a stolen token: as long as nothing of the newest
generation was used, the client may never have received it. It is kept beside the log, because it is
no event, and all processes share it.
"""

from collections import OrderedDict
from uuid import UUID

from domain.base import PLATFORM
from eventstore.append import LogUnavailable, Secret
from eventstore.log import EventLog
from eventstore.mode import LogClosed

GENERATION_SEEN = "generation seen"
"""The name under which the newest generation seen is kept for a session."""

SESSIONS_NOTED_MAX = 50_000
"""Sessions whose newest generation a process remembers, about 8 MB; others are looked up again."""


class TokenUse:
    """Records the generation of access tokens once per refresh, and returns the newest."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        # By the integers of their ids, because UUIDs are hashed and compared in Python.
        self._noted: OrderedDict[int, int] = OrderedDict()

    async def note(self, session_id: UUID, generation: int) -> None:
        """Record that an access token of *generation* was used.

        If the log cannot be written now, the next request notes it.
        """
        if generation <= self._noted.get(session_id.int, 0):
            return
        if generation > await self.newest(session_id):
            kept = Secret(session_id, GENERATION_SEEN, str(generation).encode())
            try:
                await self._log.put_secret(kept, PLATFORM)
            except (LogClosed, LogUnavailable):
                return
        self._noted[session_id.int] = generation
        self._noted.move_to_end(session_id.int)
        if len(self._noted) > SESSIONS_NOTED_MAX:
            self._noted.popitem(last=False)

    async def newest(self, session_id: UUID) -> int:
        """Return the newest generation that was used, 0 if none since the login."""
        kept = await self._log.secret(session_id, PLATFORM, GENERATION_SEEN)
        return 0 if kept is None else int(kept)
