"""Erasing: when somebody has their account erased, the keys of what is personal are destroyed.

Those are the person's own, which seals their account and where their requests came from, and those
of the invitations to their addresses.
"""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from commands.identity.erasing import EndInvitationOfErased, FinishErasure
from domain.base import ERASED, PLATFORM, UserId
from domain.catalog import tag_of
from domain.identity.organization.membership import MemberInvited
from domain.identity.user.address import EmailChanged, EmailProofRequested
from domain.identity.user.erasure import UserErasureRequested
from domain.identity.user.events import UserRegistered
from eventstore.append import Secret
from eventstore.operations.crew import Owns, everything
from eventstore.recorded import Recorded, Row
from projections.engine.progress import Progress
from runtime.system import System
from workers.consequences.base import READ_AT_ONCE, Consequences

_INVITED = (tag_of(MemberInvited),)


class Erasing(Consequences):
    """Acts on every request of somebody to be erased.

    A crash in between repeats it: as long as the person's own key is there, so are their addresses,
    by which their invitations are found.
    """

    def __init__(
        self, system: System, progress: Progress | None = None, *, owns: Owns = everything
    ) -> None:
        super().__init__(system, "erasing", (UserErasureRequested,), progress, owns)

    async def follow(self, cause: Recorded, row: Row, part: int) -> None:
        """Destroy the keys of whoever asked, and what is kept for them beside the log."""
        log, user_id = self.system.log, UserId(row.stream_id)
        addresses = await self._addresses(user_id)
        async for invited in self._invitations():
            event: Any = invited.event
            if event.email in addresses:
                ending = EndInvitationOfErased(invitation_id=event.invitation_id)
                await self.follow_up(ending, cause, invited.org_id)
                await log.destroy_key(event.invitation_id, invited.org_id)
        for name in await log.secrets(user_id, PLATFORM):
            await log.put_secret(Secret(user_id, name, None), PLATFORM)
        await log.destroy_key(user_id, PLATFORM)
        await self.follow_up(FinishErasure(user_id=user_id), cause)

    async def _addresses(self, user_id: UUID) -> set[str]:
        """Return every address that an account ever had or asked for; none once they are erased."""
        found: set[str] = set()
        for recorded in await self.system.log.stream(user_id, PLATFORM):
            match recorded.event:
                case UserRegistered(email=email) | EmailProofRequested(email=email):
                    found.add(email)
                case EmailChanged(from_=before, to=after):
                    found |= {before, after}
                case _:
                    pass
        return found - {ERASED}

    async def _invitations(self) -> AsyncIterator[Recorded]:
        """Yield every invitation that was ever sent, by any organization."""
        log = self.system.log
        for part in range(log.parts):
            after = 0
            while found := await log.tail(after, READ_AT_ONCE, _INVITED, part):
                for invited in found:
                    yield invited
                after = found[-1].position
