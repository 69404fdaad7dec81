"""Members without access to their organization, and why."""

import pytest

from domain.identity.organization.barring import Barred, barred_from
from domain.identity.organization.membership import MemberDeactivated
from domain.identity.organization.settings import LoginWay, SettingsChanged
from domain.identity.organization.state import Organization
from domain.identity.session.events import Factor, SessionOrigin
from tests.domain.acme import DELETED, TEAM
from tests.domain.identity.providers import CONFIGURED, ISSUER
from tests.domain.spec import BEN, DAN, given

PASSWORD, BY_PROVIDER = SessionOrigin(Factor.PASSWORD), SessionOrigin(Factor.OIDC, ISSUER)
SUSPENDED = given(TEAM, MemberDeactivated(user_id=BEN))
STRICT = given(TEAM, CONFIGURED, SettingsChanged(require_totp=True))
PROVIDER_ONLY = given(TEAM, CONFIGURED, SettingsChanged(login_ways=(LoginWay.OIDC,)))


@pytest.mark.parametrize("totp", [True, False])
def test_an_active_member_has_access(totp: bool) -> None:
    assert barred_from(TEAM, BEN, PASSWORD, totp=totp) is None


@pytest.mark.parametrize("organization", [TEAM, given(DELETED, MemberDeactivated(user_id=BEN))])
def test_nobody_is_barred_from_what_does_not_exist_for_them(organization: Organization) -> None:
    who = DAN if organization is TEAM else BEN
    assert barred_from(organization, who, PASSWORD, totp=False) is None


def test_who_is_suspended_is_told_that_first() -> None:
    strict = given(SUSPENDED, SettingsChanged(require_totp=True))
    assert barred_from(strict, BEN, PASSWORD, totp=False) is Barred.SUSPENDED


def test_a_second_factor_is_up_to_the_provider_that_began_the_session() -> None:
    assert barred_from(STRICT, BEN, PASSWORD, totp=False) is Barred.NO_TOTP
    assert barred_from(STRICT, BEN, PASSWORD, totp=True) is None
    assert barred_from(STRICT, BEN, BY_PROVIDER, totp=False) is None


def test_only_the_ways_that_are_accepted_give_access() -> None:
    assert barred_from(PROVIDER_ONLY, BEN, PASSWORD, totp=True) is Barred.OTHER_WAY
    assert barred_from(PROVIDER_ONLY, BEN, BY_PROVIDER, totp=False) is None
    assert barred_from(TEAM, BEN, BY_PROVIDER, totp=False) is Barred.OTHER_WAY
