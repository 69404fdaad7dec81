"""How far a fork has come, kept beside the log until it is whole."""

import msgspec
from msgspec import Struct

from domain.base import OrgId
from eventstore.append import Secret
from eventstore.log import EventLog

_NAME = "fork"


class ForkProgress(Struct, frozen=True, kw_only=True):
    """Which events are copied: those of an organization up to sequence *done*, of *at*."""

    organization: OrgId
    at: int
    subdomain: str = ""
    done: int = 0
    """The sequence number, in the original, of the last event that was looked at."""
    copied: int = 0
    """How many events the fork has."""

    def stored(self, fork: OrgId) -> Secret:
        """Return what is written beside the log, in the append that makes it true."""
        return Secret(fork, _NAME, msgspec.json.encode(self))


def forget_progress(fork: OrgId) -> Secret:
    """Return what is written beside the log once the fork is whole."""
    return Secret(fork, _NAME, None)


async def fork_progress(log: EventLog, fork: OrgId) -> ForkProgress | None:
    """Return how far a fork has come; None if it was not begun, or is whole."""
    stored = await log.secret(fork, fork, _NAME)
    return None if stored is None else msgspec.json.decode(stored, type=ForkProgress)
