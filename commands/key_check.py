"""Check of an API key: what stands behind it, read from the event log at every request.

A key is as good as its creator is now: demoted, suspended, removed, deactivated or with the
organization deleted, its keys follow with the next request, in every process.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from msgspec import Struct

from commands.reservations import api_key_claim
from commands.states import Loaded, States
from domain.base import ApiKeyId, DomainError, NotFound, OrgId, State, UserId
from domain.identity.api_key.errors import (
    KeyHasExpired,
    KeyWasRevoked,
    KeyWithoutOwner,
    KeyWithoutSecondFactor,
    NetworkNotAllowed,
)
from domain.identity.api_key.state import ApiKey, stream_of_key
from domain.identity.organization.membership import Role
from domain.identity.organization.sign_on import vouches_for
from domain.identity.organization.state import Organization
from domain.identity.plan import Plan
from domain.identity.user.state import User
from domain.permission import Scopes, scopes_named
from eventstore.log import EventLog
from security.addresses import canonical, canonical_network
from security.api_keys import PresentedKey, is_key
from security.url_guard import IPNetwork

KEYS_KNOWN_MAX = 50_000
"""Keys whose organization a process remembers, about 10 MB; others are looked up again."""

_Read = tuple[Loaded[ApiKey], Loaded[User], Loaded[Organization]]


class CheckedKey(Struct, frozen=True):
    """A good key, with its creator as they are now and the versions that this was read from."""

    api_key_id: ApiKeyId
    scopes: Scopes
    org_id: OrgId
    plan: Plan
    user_id: UserId
    user: User
    role: Role
    seen: dict[UUID, int]


class KeyCheck:
    """Finds the key that a request presents, and what it may do."""

    def __init__(self, states: States, log: EventLog) -> None:
        self._states, self._log = states, log
        self._organizations: OrderedDict[str, OrgId] = OrderedDict()

    def is_known(self, presented: PresentedKey) -> bool:
        """Return whether this process has seen this very key; any other is looked up."""
        key = self._states.cache.get(stream_of_key(presented.key_id))
        return (
            key is not None
            and presented.key_id in self._organizations
            and is_key(presented, (key.state.hash, key.state.old_hash))
        )

    def from_memory(
        self, presented: PresentedKey, ip: str | None, now: datetime
    ) -> CheckedKey | None:
        """Return what is in memory about a key; None if that is not enough to accept it."""
        cache, org_id = self._states.cache, self._organizations.get(presented.key_id)
        key = cache.get(stream_of_key(presented.key_id))
        if org_id is None or key is None or key.state.created_by is None:
            return None
        user, organization = cache.get(key.state.created_by), cache.get(org_id)
        if user is None or organization is None:
            return None
        try:
            return _checked(presented, (key, user, organization), org_id, ip, now)
        except DomainError:
            return None

    async def from_log(
        self,
        presented: PresentedKey,
        ip: str | None,
        now: datetime,
        heads: dict[UUID, int],
        beside: Callable[[], Iterable[UUID]] = tuple,
    ) -> CheckedKey | None:
        """Return what the log says about a key now; None if there is no such key.

        *heads* and *beside* are as in ``States.all_fresh``.

        :raises DomainError: there is such a key, and it cannot be used now, or not from here.
        """
        org_id = await self._organization_of(presented.key_id)
        if org_id is None:
            return None
        stream = stream_of_key(presented.key_id)
        try:
            known = self._states.cache.get(stream)
            if known is None:
                [known] = await self._states.all_fresh([(ApiKey, stream)], org_id, heads)
            wanted: Sequence[tuple[type[State], UUID]] = [
                (ApiKey, stream),
                (User, known.state.created_by),
                (Organization, org_id),
            ]
            key, user, organization = await self._states.all_fresh(wanted, org_id, heads, beside())
        except NotFound:
            return None
        return _checked(presented, (key, user, organization), org_id, ip, now)

    async def _organization_of(self, key_id: str) -> OrgId | None:
        known = self._organizations.get(key_id)
        if known is None:
            holder = await self._log.holder(api_key_claim(key_id))
            if holder is None:
                return None
            known = self._organizations[key_id] = OrgId(holder)
            if len(self._organizations) > KEYS_KNOWN_MAX:
                self._organizations.popitem(last=False)
        return known


def _checked(
    presented: PresentedKey, read: _Read, org_id: OrgId, ip: str | None, now: datetime
) -> CheckedKey | None:
    """Return the checked key; None if *presented* is not it.

    Why a key cannot be used is told only to whoever has it.

    :raises DomainError: it cannot be used.
    """
    key, user, organization = read[0].state, read[1].state, read[2].state
    if key.created_by is None or not is_key(presented, (key.hash, key.old_hash)):
        return None
    if key.revoked or not is_key(presented, key.hashes(now)):
        raise KeyWasRevoked
    if key.is_expired(now):
        raise KeyHasExpired
    role = organization.role_of(key.created_by)
    if role is None or not user.active:
        raise KeyWithoutOwner
    vouched = vouches_for(organization, key.created_by)
    if organization.settings.require_totp and user.totp is None and not vouched:
        raise KeyWithoutSecondFactor
    if key.networks and not _is_within(ip, key.networks):
        raise NetworkNotAllowed(ip=ip)
    stream = stream_of_key(key.key_id)
    return CheckedKey(
        api_key_id=stream,
        scopes=scopes_named(key.scopes),
        org_id=org_id,
        plan=organization.plan,
        user_id=key.created_by,
        user=user,
        role=role,
        seen={stream: read[0].version, key.created_by: read[1].version},
    )


def _is_within(ip: str | None, networks: tuple[str, ...]) -> bool:
    address = canonical(ip or "")
    return address is not None and any(address in network for network in _parsed(networks))


@lru_cache(1_000)
def _parsed(networks: tuple[str, ...]) -> list[IPNetwork]:
    found = map(canonical_network, networks)
    return [network for network in found if network is not None]  # none is left of an erased value
