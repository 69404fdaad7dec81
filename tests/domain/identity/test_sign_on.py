"""Who enters an organization through its identity provider, and as what."""

from typing import Any

import pytest

from domain.base import Event, NotFound
from domain.identity.organization.membership import (
    InvitationAccepted,
    LeaveCause,
    MemberDeactivated,
    MemberJoined,
    MemberLeft,
    MemberRoleChanged,
    Role,
)
from domain.identity.organization.settings import LoginWay, SettingsChanged
from domain.identity.organization.sign_on import (
    Arrival,
    accepts,
    arrive,
    configure,
    prove_domain,
    provider_of,
    remove,
    vouches_for,
)
from domain.identity.organization.sso import (
    DomainNotAccepted,
    DomainNotProven,
    DomainProven,
    LinkedToAnother,
    LoginWayNotAccepted,
    MemberLinked,
    MembershipEnded,
    MembershipSuspended,
    SsoConfigured,
    SsoLoginIsOver,
    SsoRemoved,
    SsoStillDemanded,
)
from domain.identity.organization.state import Organization
from domain.identity.plan import PlanLimitReached
from domain.identity.session.events import Factor, SessionOrigin
from tests.domain.acme import DELETED, TEAM, TWO_ADMINS, crowd, invitation
from tests.domain.identity.providers import CONFIGURED, ISSUER, MAPPED, PROVEN, configured
from tests.domain.spec import ANA, BEN, CLEO, DAN, DAY, NOW, check_refused, given

HERE = given(TEAM, CONFIGURED, PROVEN)
BY_PROVIDER = SessionOrigin(Factor.OIDC, ISSUER)
PASSWORD, TOTP = SessionOrigin(Factor.PASSWORD), SessionOrigin(Factor.TOTP)
PROVIDER_ONLY = SettingsChanged(login_ways=(LoginWay.OIDC,))


def linked(user_id: Any = DAN, subject: str = "d") -> MemberLinked:
    return MemberLinked(user_id=user_id, issuer=ISSUER, subject=subject)


def arrival(
    user_id: Any = DAN, subject: str = "d", email: str = "dan@example.com", roles: Any = ()
) -> Arrival:
    return Arrival(user_id, subject, email, roles)


def arriving(organization: Organization, who: Arrival, **about: Any) -> list[Event]:
    provider = organization.sign_on.provider
    assert provider is not None
    return [*arrive(organization, provider, who, about.get("now", NOW))]


class TestArrive:
    def test_a_stranger_joins_with_the_default_role_and_is_linked(self) -> None:
        joined = MemberJoined(user_id=DAN, role=Role.MEMBER)
        assert arriving(HERE, arrival()) == [joined, linked()]

    def test_who_is_linked_already_changes_nothing(self) -> None:
        here = given(HERE, MemberJoined(user_id=DAN, role=Role.MANAGER), linked())
        assert arriving(here, arrival()) == []

    def test_a_member_is_linked_and_keeps_their_role(self) -> None:
        assert arriving(HERE, arrival(BEN)) == [linked(BEN)]

    @pytest.mark.parametrize(
        ("values", "role"),
        [
            ((), Role.MEMBER),
            (("others",), Role.MEMBER),
            (("leads",), Role.MANAGER),
            (("leads", "admins"), Role.ADMIN),
            (("ADMINS",), Role.MEMBER),
        ],
    )
    def test_a_mapping_gives_the_highest_role_that_applies(self, values: Any, role: Role) -> None:
        events = arriving(given(TEAM, MAPPED, PROVEN), arrival(roles=values))
        assert events[0] == MemberJoined(user_id=DAN, role=role)

    def test_a_mapping_raises_and_lowers_a_role_at_each_login(self) -> None:
        here = given(TEAM, MAPPED, PROVEN)
        raised = MemberRoleChanged(user_id=CLEO, from_=Role.MEMBER, to=Role.ADMIN)
        assert arriving(here, arrival(CLEO, roles=("admins",)))[0] == raised
        lowered = MemberRoleChanged(user_id=BEN, from_=Role.MANAGER, to=Role.MEMBER)
        assert arriving(here, arrival(BEN))[0] == lowered

    def test_the_last_admin_keeps_their_role_whatever_the_provider_says(self) -> None:
        assert arriving(given(TEAM, MAPPED, PROVEN), arrival(ANA)) == [linked(ANA)]
        lowered = MemberRoleChanged(user_id=ANA, from_=Role.ADMIN, to=Role.MEMBER)
        assert arriving(given(TWO_ADMINS, MAPPED, PROVEN), arrival(ANA))[0] == lowered

    def test_an_invitation_is_accepted_with_its_role(self) -> None:
        invited = invitation(role=Role.MANAGER)
        accepted = InvitationAccepted(invitation_id=invited.invitation_id, user_id=DAN)
        joined = MemberJoined(user_id=DAN, role=Role.MANAGER)
        assert arriving(given(HERE, invited), arrival()) == [accepted, joined, linked()]

    def test_the_invitation_of_somebody_else_is_not_accepted(self) -> None:
        others = given(HERE, invitation(email="cleo@example.com", role=Role.MANAGER))
        assert arriving(others, arrival())[0] == MemberJoined(user_id=DAN, role=Role.MEMBER)

    def test_an_invitation_gives_no_more_than_the_mapping(self) -> None:
        invited = invitation(role=Role.ADMIN)
        events = arriving(given(TEAM, MAPPED, PROVEN, invited), arrival(roles=("leads",)))
        assert events[1] == MemberJoined(user_id=DAN, role=Role.MANAGER)

    def test_an_invitation_that_has_expired_gives_nothing(self) -> None:
        invited = invitation(role=Role.MANAGER)
        events = arriving(given(HERE, invited), arrival(), now=NOW + 8 * DAY)
        assert events == [MemberJoined(user_id=DAN, role=Role.MEMBER), linked()]

    @pytest.mark.parametrize("cause", LeaveCause)
    def test_who_left_or_was_removed_comes_back_by_an_invitation_only(
        self, cause: LeaveCause
    ) -> None:
        here = given(HERE, linked(CLEO), MemberLeft(user_id=CLEO, cause=cause))
        check_refused(MembershipEnded, lambda: arriving(here, arrival(CLEO)))
        invited = given(here, invitation())
        joined = MemberJoined(user_id=CLEO, role=Role.MEMBER)
        assert joined in arriving(invited, arrival(CLEO))

    def test_a_suspended_member_stays_out(self) -> None:
        here = given(HERE, linked(CLEO), MemberDeactivated(user_id=CLEO))
        check_refused(MembershipSuspended, lambda: arriving(here, arrival(CLEO)))

    def test_another_subject_of_the_provider_is_another_person(self) -> None:
        here = given(HERE, linked(BEN, "b"))
        check_refused(LinkedToAnother, lambda: arriving(here, arrival(BEN, "x")))

    def test_a_new_provider_may_name_a_member_again(self) -> None:
        here = given(HERE, linked(BEN, "b"), configured(1, issuer="https://new.example.com"))
        again = MemberLinked(user_id=BEN, issuer="https://new.example.com", subject="x")
        assert arriving(here, arrival(BEN, "x")) == [again]

    @pytest.mark.parametrize(
        "email", ["dan@other.example", "dan@sub.example.com", "dan@example.com.evil", "dan"]
    )
    def test_a_foreign_domain_is_refused(self, email: str) -> None:
        check_refused(DomainNotAccepted, lambda: arriving(HERE, arrival(email=email)))

    def test_a_full_plan_takes_nobody(self) -> None:
        full = given(crowd(10), CONFIGURED, PROVEN)
        check_refused(PlanLimitReached, lambda: arriving(full, arrival()))

    def test_a_deleted_organization_takes_nobody(self) -> None:
        check_refused(NotFound, lambda: arriving(given(DELETED, CONFIGURED), arrival()))


class TestProve:
    def test_a_domain_of_the_provider_is_proven_once(self) -> None:
        here = given(TEAM, CONFIGURED)
        assert prove_domain(here, "example.com") == [PROVEN]
        assert prove_domain(given(here, PROVEN), "example.com") == []

    def test_no_other_domain_is_proven(self) -> None:
        check_refused(NotFound, lambda: prove_domain(HERE, "evil.example"))
        check_refused(NotFound, lambda: prove_domain(TEAM, "example.com"))
        check_refused(NotFound, lambda: prove_domain(given(DELETED, CONFIGURED), "example.com"))

    def test_nobody_arrives_from_a_domain_that_is_not_proven(self) -> None:
        two = configured(domains=("example.com", "two.example"))
        here = given(HERE, two)
        who = arrival(email="dan@two.example")
        check_refused(DomainNotProven, lambda: arriving(here, who))
        both = given(here, DomainProven(domain="two.example"))
        assert arriving(both, who)
        assert arriving(both, arrival())
        assert arriving(here, arrival())

    def test_a_proof_ends_when_the_domain_is_no_longer_named(self) -> None:
        renamed = given(HERE, configured(domains=("two.example",)), CONFIGURED)
        removed = given(HERE, SsoRemoved(), CONFIGURED)
        check_refused(DomainNotProven, lambda: arriving(renamed, arrival()))
        check_refused(DomainNotProven, lambda: arriving(removed, arrival()))


class TestConfigure:
    def test_a_provider_is_configured_and_changed(self) -> None:
        other = configured(1, domains=("new.example",))
        assert configure(TEAM, CONFIGURED) == [CONFIGURED]
        assert configure(HERE, CONFIGURED) == []
        assert configure(HERE, other) == [other]

    def test_a_provider_is_removed_once(self) -> None:
        assert remove(HERE) == [SsoRemoved()]
        assert remove(TEAM) == []

    def test_a_provider_is_not_removed_while_it_is_the_only_way_in(self) -> None:
        check_refused(SsoStillDemanded, lambda: remove(given(HERE, PROVIDER_ONLY)))

    def test_a_deleted_organization_has_none(self) -> None:
        check_refused(NotFound, lambda: configure(DELETED, CONFIGURED), lambda: remove(DELETED))

    @pytest.mark.parametrize("since", [SsoRemoved(), configured(1), configured(1, client_id="x")])
    def test_a_login_is_over_once_the_configuration_changes(self, since: SsoConfigured) -> None:
        known = CONFIGURED.configuration_id
        assert provider_of(HERE, known).issuer == ISSUER
        check_refused(SsoLoginIsOver, lambda: provider_of(given(HERE, since), known))

    def test_a_login_is_refused_where_only_passwords_are_accepted(self) -> None:
        here = given(HERE, SettingsChanged(login_ways=(LoginWay.PASSWORD,)))
        check_refused(LoginWayNotAccepted, lambda: provider_of(here, CONFIGURED.configuration_id))


class TestAccepts:
    only = given(TWO_ADMINS, CONFIGURED, PROVIDER_ONLY)

    def test_both_ways_are_accepted_at_first(self) -> None:
        assert accepts(HERE, CLEO, BY_PROVIDER)
        assert accepts(HERE, CLEO, PASSWORD)

    def test_a_session_of_a_former_provider_has_no_access(self) -> None:
        assert not accepts(given(HERE, SsoRemoved()), CLEO, BY_PROVIDER)
        moved = given(HERE, configured(1, issuer="https://new.example.com"))
        assert not accepts(moved, CLEO, BY_PROVIDER)
        assert accepts(given(HERE, configured(1, client_id="new")), CLEO, BY_PROVIDER)

    def test_passwords_are_refused_where_only_the_provider_counts(self) -> None:
        assert accepts(self.only, CLEO, BY_PROVIDER)
        assert not accepts(self.only, CLEO, PASSWORD)
        assert not accepts(self.only, CLEO, TOTP)

    def test_every_admin_enters_with_a_second_factor_so_that_the_provider_can_be_repaired(
        self,
    ) -> None:
        for here in (self.only, given(self.only, linked(ANA), linked(BEN))):
            for admin in (ANA, BEN):
                assert accepts(here, admin, TOTP)
                assert accepts(here, admin, SessionOrigin(Factor.RECOVERY_CODE))
                assert not accepts(here, admin, PASSWORD)
        lowered = MemberRoleChanged(user_id=BEN, from_=Role.ADMIN, to=Role.MANAGER)
        assert not accepts(given(self.only, lowered), BEN, TOTP)

    def test_the_provider_is_refused_where_only_passwords_count(self) -> None:
        here = given(HERE, SettingsChanged(login_ways=(LoginWay.PASSWORD,)))
        assert not accepts(here, CLEO, BY_PROVIDER)
        assert accepts(here, CLEO, PASSWORD)


def test_the_provider_vouches_for_those_whom_it_named_while_it_is_there() -> None:
    here = given(HERE, linked(BEN))
    assert vouches_for(here, BEN)
    assert not vouches_for(here, CLEO)
    assert not vouches_for(given(here, SsoRemoved()), BEN)
    assert not vouches_for(given(here, configured(1, issuer="https://new.example.com")), BEN)
