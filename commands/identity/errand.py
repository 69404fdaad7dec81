"""Errands: what strangers ask about an address, done later by a worker.

Whether the address has an account is looked up by the worker alone, so neither the answer nor what
the API does after it can tell. An errand is a job whose id holds all of it, sealed.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from msgspec import Struct

from commands.base import Context
from domain.base import OrgId, UserId
from eventstore.recorded import Actor, ActorKind
from security.sealing import MasterKeys

ERRAND = "errand:"
"""The ids of jobs that are errands begin like this; those of no other job do."""

_SEALED_FOR = UUID("5b0a52c1-7d0e-4c1c-9a39-0c3a8f7f3c55")


class ErrandKind(StrEnum):
    """What is to be done. The values are stored, so they never change."""

    RESET_PASSWORD = "reset password"  # noqa: S105 - a name, not a secret
    FAILED_LOGIN = "failed login"


class Errand(Struct, frozen=True, kw_only=True):
    """What was asked about an address, and from where; ``address`` is the value of its claim."""

    kind: ErrandKind
    address: bytes
    count: int = 1
    ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None

    def context(self, user_id: UserId, now: datetime, org_id: OrgId | None = None) -> Context:
        """Return the context of a command on the account, as of whoever asked."""
        return Context(
            actor=Actor(ActorKind.USER, user_id),
            now=now,
            org_id=org_id,
            ip=self.ip,
            user_agent=self.user_agent,
            request_id=self.request_id,
        )


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Errand).decode


def job_id_of(errand: Errand, keys: MasterKeys) -> str:
    """Return the id of the job that does an errand; each call returns another one."""
    return ERRAND + urlsafe_b64encode(keys.wrap(_pack(errand), _SEALED_FOR)).decode()


def errand_in(job_id: str, keys: MasterKeys) -> Errand:
    """Return the errand in the id of a job.

    :raises SealBroken: we did not write it, or with a key that is no longer ours.
    """
    sealed = urlsafe_b64decode(job_id.removeprefix(ERRAND))
    return _unpack(keys.unwrap(sealed, _SEALED_FOR))
