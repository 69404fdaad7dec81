"""An organization: its name, its subdomain and its plan."""

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from domain.base import NotFound
from domain.identity.organization.events import (
    OrganizationCreated,
    OrganizationEvent,
    OrganizationRenamed,
    OrganizationRestored,
    PlanChanged,
    SubdomainChanged,
)
from domain.identity.organization.membership import Member, MemberJoined, Role
from domain.identity.organization.state import Organization
from domain.identity.plan import PLAN_LIMITS, Countable, Plan, PlanLimitReached, refuse_if_full
from domain.identity.subdomain import (
    RESERVED_SUBDOMAINS,
    SubdomainNotAllowed,
    refuse_unless_allowed,
)
from tests.domain.acme import CREATED, DELETED, NEW, TEAM, invitation
from tests.domain.spec import (
    ANA,
    BEN,
    CLEO,
    DAN,
    NOW,
    QUICK,
    check_refused,
    events_of,
    given,
)


def test_the_creator_of_an_organization_is_its_first_admin() -> None:
    assert Organization().create(CREATED, by=ANA) == [
        CREATED,
        MemberJoined(user_id=ANA, role=Role.ADMIN),
    ]
    assert NEW.role_of(ANA) is Role.ADMIN
    assert NEW.create(CREATED, by=ANA) == []


def test_setting_the_same_name_subdomain_or_plan_records_nothing() -> None:
    assert NEW.rename("Acme AG") == [OrganizationRenamed(from_="Acme", to="Acme AG")]
    assert NEW.change_subdomain("acme-ag") == [SubdomainChanged(from_="acme", to="acme-ag")]
    assert NEW.change_plan(Plan.BASIC) == [PlanChanged(from_=Plan.FREE, to=Plan.BASIC)]
    basic = given(NEW, *NEW.change_plan(Plan.BASIC))
    assert basic.change_plan(Plan.FREE) == [PlanChanged(from_=Plan.BASIC, to=Plan.FREE)]
    assert NEW.rename("Acme") == NEW.change_subdomain("acme") == NEW.change_plan(Plan.FREE) == []
    changed = given(
        NEW, *NEW.rename("X"), *NEW.change_subdomain("xxx"), *NEW.change_plan(Plan("BASIC"))
    )
    assert (changed.name, changed.subdomain, changed.plan) == ("X", "xxx", Plan.BASIC)


@pytest.mark.parametrize("subdomain", ["abc", "a-b", "0ab", "a1-2-3", "a" * 63])
def test_a_dns_label_is_a_valid_subdomain(subdomain: str) -> None:
    refuse_unless_allowed(subdomain)


@pytest.mark.parametrize(
    "subdomain",
    [
        "",
        "a",
        "ab",
        "-a",
        "a-b-",
        "a--b",
        "xn--80ak6aa92e",
        "A_b",
        "Abc",
        "a.b",
        "a b",
        "abc\n",
        "ümlaut",
        "a" * 64,
        "www",
        "api",
        "admin",
        "app",
        "mail",
    ],
)
def test_a_bad_or_reserved_subdomain_is_refused(subdomain: str) -> None:
    with pytest.raises(SubdomainNotAllowed) as refused:
        NEW.change_subdomain(subdomain)
    assert refused.value.details == {"reserved": subdomain in RESERVED_SUBDOMAINS}
    with pytest.raises(SubdomainNotAllowed):
        Organization().create(
            OrganizationCreated(name="", subdomain=subdomain, plan=Plan.FREE), by=ANA
        )


def test_a_deleted_organization_can_only_be_restored() -> None:
    check_refused(
        NotFound,
        lambda: DELETED.rename("X"),
        lambda: DELETED.change_subdomain("xxx"),
        lambda: DELETED.change_plan(Plan.BASIC),
        DELETED.delete,
        lambda: DELETED.invite(invitation(), by=ANA, now=NOW),
        lambda: DELETED.remove(CLEO, by=ANA),
    )
    assert DELETED.restore() == [OrganizationRestored()]
    assert given(DELETED, OrganizationRestored()) == TEAM
    assert TEAM.restore() == []
    with pytest.raises(NotFound):
        Organization().restore()


def test_nobody_has_a_role_in_a_deleted_organization_but_its_admins_remain_known() -> None:
    assert DELETED.role_of(ANA) is None
    assert DELETED.member(ANA) == Member(Role.ADMIN)
    assert TEAM.role_of(DAN) is None
    assert TEAM.member(DAN) is None


LIMITS = """
         members projects tasks  webhooks
FREE     10      5        1000   2
BASIC    100     100      50000  20
PREMIUM  50000   none     none   200
"""


def test_the_limits_of_the_plans_are_those_of_the_table() -> None:
    header, *rows = (line.split() for line in LIMITS.strip().splitlines())

    assert [row[0] for row in rows] == list(Plan)
    for plan, *numbers in rows:
        shown = {what: str(getattr(PLAN_LIMITS[Plan(plan)], what) or "none") for what in header}
        assert shown == dict(zip(header, numbers, strict=True))


@pytest.mark.parametrize("what", Countable)
@pytest.mark.parametrize("plan", Plan)
def test_each_limit_is_reached_at_its_number(plan: Plan, what: Countable) -> None:
    limit: int | None = getattr(PLAN_LIMITS[plan], what)
    if limit is None:
        refuse_if_full(plan, what, 10**9)
    else:
        refuse_if_full(plan, what, limit - 1)
        with pytest.raises(PlanLimitReached):
            refuse_if_full(plan, what, limit)


@QUICK
@forall(st.lists(events_of(OrganizationEvent), max_size=15))
def test_folding_never_raises_and_never_changes_earlier_states(
    events: list[OrganizationEvent],
) -> None:
    before = given(TEAM)

    assert isinstance(given(TEAM, *events), Organization)
    assert before == TEAM
    assert set(TEAM.members) == {ANA, BEN, CLEO}
