"""The settings of an organization."""

from datetime import timedelta
from typing import Any

import pytest

from domain.base import NotFound
from domain.identity.organization.settings import (
    LoginWay,
    NoLoginWay,
    OrganizationSettings,
    SettingsChanged,
)
from domain.identity.session.limits import UNLIMITED, SessionLimits
from tests.domain.acme import DELETED, NEW
from tests.domain.spec import check_refused, given

CHANGES: list[dict[str, Any]] = [
    {"require_totp": True},
    {"login_ways": (LoginWay.PASSWORD,)},
    {"session_idle": 1_800},
    {"session_max": 3_600},
    {"time_zone": "Europe/Zurich"},
    {"security_contacts": "ana@acme.example\nben@acme.example"},
]


def test_at_first_an_organization_requires_nothing() -> None:
    assert NEW.settings == OrganizationSettings()
    assert NEW.settings.session_limits == UNLIMITED
    assert NEW.settings.login_ways == (LoginWay.PASSWORD, LoginWay.OIDC)


@pytest.mark.parametrize("fields", CHANGES)
def test_a_setting_is_changed_alone_and_once(fields: dict[str, Any]) -> None:
    wanted = SettingsChanged(**fields)

    assert NEW.change_settings(wanted) == [wanted]
    changed = given(NEW, wanted)
    [name] = fields
    assert getattr(changed.settings, name) != getattr(NEW.settings, name)
    assert changed.change_settings(wanted) == []
    assert given(changed, SettingsChanged(time_zone="UTC")).settings.require_totp == (
        changed.settings.require_totp
    )


def test_only_what_changes_is_recorded() -> None:
    wanted = SettingsChanged(require_totp=False, session_max=3_600, time_zone="UTC")

    assert NEW.change_settings(wanted) == [SettingsChanged(session_max=3_600)]


def test_limits_are_lifted_and_contacts_removed() -> None:
    limited = given(
        NEW, SettingsChanged(session_idle=1_800, session_max=3_600, security_contacts="a@b.example")
    )
    assert limited.settings.session_limits == SessionLimits(
        timedelta(minutes=30), timedelta(hours=1)
    )
    assert limited.settings.security_contacts == ("a@b.example",)

    lifting = SettingsChanged(session_idle=None, security_contacts="")
    assert limited.change_settings(lifting) == [
        SettingsChanged(session_idle=None, security_contacts="", former_contacts="a@b.example")
    ]
    lifted = given(
        limited, SettingsChanged(session_idle=None, session_max=None, security_contacts="")
    )
    assert lifted.settings == OrganizationSettings()


def test_members_can_log_in_somehow() -> None:
    check_refused(NoLoginWay, lambda: NEW.change_settings(SettingsChanged(login_ways=())))


def test_a_deleted_organization_has_no_settings_to_change() -> None:
    check_refused(NotFound, lambda: DELETED.change_settings(SettingsChanged(require_totp=True)))
