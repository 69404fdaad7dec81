"""Values kept beside the log under a person's key: whoever erases the person erases them, too."""

from uuid import UUID

from domain.base import PLATFORM, UserId
from eventstore.codec import Cipher
from eventstore.log import EventLog
from security.sealing import SealBroken


class PersonalSecrets:
    """Seals and opens values of persons; a purpose and an owner bind a value to its place."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def sealed(
        self, user_id: UserId, owner: UUID, purpose: str, plain: bytes
    ) -> bytes | None:
        """Return *plain* sealed under the key of a person; None if that was destroyed."""
        cipher = await self._cipher(user_id)
        return None if cipher is None else cipher.seal(plain, purpose.encode() + owner.bytes)

    async def opened(self, user_id: UserId, owner: UUID, purpose: str) -> bytes | None:
        """Return the value that is kept for *owner*; None if there is none, or it was erased."""
        sealed = await self._log.secret(owner, PLATFORM, purpose)
        cipher = None if sealed is None else await self._cipher(user_id)
        if sealed is None or cipher is None:
            return None
        try:
            return cipher.open(sealed, purpose.encode() + owner.bytes)
        except SealBroken:
            return None

    async def _cipher(self, user_id: UserId) -> Cipher | None:
        await self._log.fetch_keys({user_id: PLATFORM})
        return self._log.keys.cached(user_id)
