"""The command on the settings of an organization."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from commands.base import Context, Decision, changes_of
from commands.identity.organization import OrganizationCommand, read_organization
from commands.identity.time_zones import time_zones
from commands.reads import Reads
from domain.identity.organization.settings import (
    SECURITY_CONTACTS_MAX,
    SESSION_IDLE_MAX,
    SESSION_IDLE_MIN,
    SESSION_PROOF_MAX,
    SESSION_PROOF_MIN,
    LoginWay,
    SettingsChanged,
    UnknownTimeZone,
)
from domain.identity.organization.sso import SsoNotConfigured
from domain.identity.user.state import User
from domain.identity.user.totp import TotpRequired

SessionIdle = Annotated[int, Meta(ge=SESSION_IDLE_MIN, le=SESSION_IDLE_MAX)]
SessionMax = Annotated[int, Meta(ge=SESSION_PROOF_MIN, le=SESSION_PROOF_MAX)]
SecurityContacts = Annotated[tuple[str, ...], Meta(max_length=SECURITY_CONTACTS_MAX)]
"""Addresses in canonical form."""


class ChangeSettings(OrganizationCommand, frozen=True, kw_only=True):
    """Change what the organization requires of its members, and whom it tells of its security.

    Whoever requires a second factor needs one already, or would have no access any more. So does
    whoever no longer accepts passwords: they get in by one if the identity provider is broken.
    """

    sensitive = True
    records = (SettingsChanged,)
    require_totp: bool | UnsetType = UNSET
    login_ways: tuple[LoginWay, ...] | UnsetType = UNSET
    session_idle: SessionIdle | UnsetType | None = UNSET
    session_max: SessionMax | UnsetType | None = UNSET
    time_zone: str | UnsetType = UNSET
    security_contacts: SecurityContacts | UnsetType = UNSET

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        organization = await read_organization(read, context, self.organization_id)
        wanted = SettingsChanged(
            require_totp=self.require_totp,
            login_ways=_ordered(self.login_ways),
            session_idle=self.session_idle,
            session_max=self.session_max,
            time_zone=self.time_zone,
            security_contacts=_lines(self.security_contacts),
        )
        events = organization.change_settings(wanted)
        provider_only = self.login_ways is not UNSET and LoginWay.PASSWORD not in self.login_ways
        if provider_only and organization.sign_on.provider is None:
            raise SsoNotConfigured
        needs_totp = self.require_totp is True or provider_only
        if needs_totp and (await read(User, context.user_id)).totp is None:
            raise TotpRequired
        if self.time_zone is not UNSET and self.time_zone not in time_zones():
            raise UnknownTimeZone
        return changes_of(self.organization_id, events)


def _ordered(ways: tuple[LoginWay, ...] | UnsetType) -> tuple[LoginWay, ...] | UnsetType:
    return UNSET if ways is UNSET else tuple(way for way in LoginWay if way in ways)


def _lines(addresses: tuple[str, ...] | UnsetType) -> str | UnsetType:
    return UNSET if addresses is UNSET else "\n".join(dict.fromkeys(addresses))
