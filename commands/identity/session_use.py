"""Session use: when, from where and with which program a session was used last.

It is kept beside the log, at most once in ``NOTED_EVERY``, because it is no event. It is sealed
under the key of the user, so that it is erased with them.
"""

from collections import OrderedDict
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import Struct

from commands.identity.personal_secrets import PersonalSecrets
from domain.base import PLATFORM, UserId
from eventstore.append import LogUnavailable, Secret
from eventstore.log import EventLog
from eventstore.mode import LogClosed

LAST_USE = "last use"
"""The name under which the last use is kept for a session."""

NOTED_EVERY = timedelta(minutes=10)

USES_NOTED_MAX = 50_000
"""Sessions whose last use a process remembers, about 8 MB; that of others is written again."""


class SessionUse(Struct, frozen=True, kw_only=True):
    """One use of a session: when, from which address, and the User-Agent."""

    at: datetime
    ip: str | None
    user_agent: str | None


_decode = msgspec.json.Decoder(SessionUse).decode
_encode = msgspec.json.Encoder().encode


class SessionUses:
    """Keeps the last use of each session for all processes."""

    def __init__(self, log: EventLog) -> None:
        self._log, self._secrets = log, PersonalSecrets(log)
        # By the integers of their ids, because UUIDs are hashed and compared in Python.
        self._noted: OrderedDict[int, tuple[datetime, str | None]] = OrderedDict()

    async def note(
        self, session_id: UUID, user_id: UserId, at: datetime, ip: str | None, agent: str | None
    ) -> None:
        """Keep a use, unless one from the same address was kept a short while ago.

        If the log cannot be written now, the next request notes it.
        """
        noted = self._noted.get(session_id.int)
        if noted is not None and noted[1] == ip and at - noted[0] < NOTED_EVERY:
            return
        use = _encode(SessionUse(at=at, ip=ip, user_agent=agent))
        sealed = await self._secrets.sealed(user_id, session_id, LAST_USE, use)
        if sealed is None:
            return
        try:
            await self._log.put_secret(Secret(session_id, LAST_USE, sealed), PLATFORM)
        except (LogClosed, LogUnavailable):
            return
        self._noted[session_id.int] = (at, ip)
        self._noted.move_to_end(session_id.int)
        if len(self._noted) > USES_NOTED_MAX:
            self._noted.popitem(last=False)

    async def newest(self, session_id: UUID, user_id: UserId) -> SessionUse | None:
        """Return the last use that was kept; None if there is none, or it was erased."""
        kept = await self._secrets.opened(user_id, session_id, LAST_USE)
        return None if kept is None else _decode(kept)
