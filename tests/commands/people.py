"""What the model of members, invitations and API keys knows, and what its rules choose from."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, multiple
from msgspec import Struct

from commands.identity.api_key import CreateApiKey
from commands.identity.invitation import InviteMember
from commands.key_check import CheckedKey, KeyCheck
from domain.base import DomainError, UserId
from domain.identity.organization.membership import Role
from security.api_keys import ApiKeys, NewKey, PresentedKey
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, NOW

PEOPLE = st.sampled_from([ANA, BEN, CLEO, DAN])
CALLERS = st.sampled_from([ANA, ANA, ANA, BEN, CLEO, DAN])
"""Mostly somebody who may do it, so that much happens."""

ADDRESSES = {ANA: "ana", BEN: "ben", CLEO: "cleo", DAN: "dan"}
SCOPES = st.sampled_from(
    [("task:read",), ("project:create", "task:read"), ("project:create", "webhook:manage")]
)
NONE: MultipleResults[Any] = multiple()
LIFETIME = timedelta(days=30)
STEP = timedelta(days=1)
KEYS = ApiKeys(b"pepper")


class Held(Struct):
    """What the model knows of a member."""

    role: Role
    active: bool = True


class Asked(Struct):
    """What the model knows of an invitation that is open."""

    to: UserId
    role: Role
    until: datetime


class Cut(Struct):
    """What the model knows of an API key."""

    by: UserId
    scopes: tuple[str, ...]
    text: str
    until: datetime
    old: str = ""
    old_until: datetime = NOW
    revoked: bool = False


def presented(text: str) -> PresentedKey:
    found = KEYS.read(text)
    assert found is not None
    return found


def inviting(made: UUID, who: UserId, role: Role, until: datetime) -> InviteMember:
    return InviteMember(
        organization_id=ACME,
        invitation_id=made,
        email=f"{ADDRESSES[who]}@example.com",
        role=role,
        token_hash=made.hex,
        expires_at=until,
        mailed=False,
    )


def creating(made: NewKey, scopes: tuple[str, ...], until: datetime) -> CreateApiKey:
    return CreateApiKey(
        key_id=made.key_id,
        hash=made.hash,
        last4=made.last4,
        name="CI",
        scopes=scopes,
        expires_at=until,
    )


async def checked(check: KeyCheck, text: str, now: datetime) -> CheckedKey | None:
    """Return the key, None if it is not good now."""
    try:
        return await check.from_log(presented(text), None, now, {})
    except DomainError:
        return None
