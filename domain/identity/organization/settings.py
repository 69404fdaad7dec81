"""Settings: what an organization requires of its members, and whom it tells about its security.

Invariants
    1. Members can log in somehow: at least one way is allowed.
    2. Setting a field to the value it has records no event.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Any

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from domain.base import DomainError, Event, Personal, Refusal
from domain.identity.session.limits import UNLIMITED, SessionLimits

SESSION_IDLE_MIN, SESSION_IDLE_MAX = 1_800, 604_800
"""Seconds. Sessions are refreshed every 15 minutes while they are used, so that less than half an
hour would end some that are in use; a session that is idle for a week is over anyway."""

SESSION_PROOF_MIN, SESSION_PROOF_MAX = 3_600, 2_592_000
"""Seconds: an hour, and 30 days, after which every session is over."""

SECURITY_CONTACTS_MAX = 10


class LoginWay(StrEnum):
    """How members log in. The values are stored, so they never change."""

    PASSWORD = "password"  # noqa: S105 - a name, not a secret
    OIDC = "oidc"


class SettingsChanged(Event, frozen=True, kw_only=True, tag="organization.settings_changed"):
    """An organization changed its settings; holds only what changed."""

    require_totp: bool | UnsetType = UNSET
    login_ways: tuple[LoginWay, ...] | UnsetType = UNSET
    session_idle: int | UnsetType | None = UNSET  # seconds; null: as everywhere
    session_max: int | UnsetType | None = UNSET  # seconds; null: as everywhere
    time_zone: str | UnsetType = UNSET  # a name of the IANA database
    security_contacts: Personal | UnsetType = UNSET  # addresses, one a line
    former_contacts: Personal | UnsetType = UNSET  # those before, who are told of it, too

    def field_keys(self) -> tuple[str, ...]:
        return tuple(f"settings:{name}" for name in self.named())

    def named(self) -> list[str]:
        """Return the fields that it sets."""
        names = OrganizationSettings.__struct_fields__
        return [name for name in names if getattr(self, name) is not UNSET]


class OrganizationSettings(Struct, frozen=True, kw_only=True, gc=False):
    """The settings of one organization."""

    require_totp: bool = False
    """Whether members without a second factor have no access."""
    login_ways: tuple[LoginWay, ...] = tuple(LoginWay)
    session_idle: int | None = None
    session_max: int | None = None
    time_zone: str = "UTC"
    security_contacts: tuple[str, ...] = ()

    @property
    def session_limits(self) -> SessionLimits:
        """How long sessions work in the organization."""
        if self.session_idle is None and self.session_max is None:
            return UNLIMITED
        return SessionLimits(_seconds(self.session_idle), _seconds(self.session_max))

    def after(self, event: SettingsChanged) -> "OrganizationSettings":
        """Return the settings after *event*."""
        changed: dict[str, Any] = {name: getattr(event, name) for name in event.named()}
        if event.security_contacts is not UNSET:
            changed["security_contacts"] = tuple(event.security_contacts.splitlines())
        return replace(self, **changed)

    def change(self, wanted: SettingsChanged) -> list[SettingsChanged]:
        """Change what *wanted* sets to another value and leave the rest.

        :raises NoLoginWay: nobody could log in.
        """
        if wanted.login_ways is not UNSET and not wanted.login_ways:
            raise NoLoginWay
        after = self.after(wanted)
        changed = {
            name: getattr(wanted, name)
            for name in wanted.named()
            if getattr(after, name) != getattr(self, name)
        }
        if self.security_contacts and "security_contacts" in changed:
            changed["former_contacts"] = "\n".join(self.security_contacts)
        return [SettingsChanged(**changed)] if changed else []


def _seconds(number: int | None) -> timedelta | None:
    return None if number is None else timedelta(seconds=number)


class NoLoginWay(DomainError):
    """Members need at least one way to log in."""

    code = "no_login_way"
    refusal = Refusal.INVALID


class UnknownTimeZone(DomainError):
    """This is no time zone of the IANA database. Use a name such as Europe/Berlin."""

    code = "unknown_time_zone"
    refusal = Refusal.INVALID
