"""A team: who is in it, who leads it, and when two names are the same."""

from uuid import UUID

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from domain.base import NotFound, UserId
from domain.name import folded
from domain.work.team import (
    TEAM_MEMBERS_MAX,
    Team,
    TeamCreated,
    TeamDeleted,
    TeamEvent,
    TeamLeaveCause,
    TeamMemberAdded,
    TeamMemberRemoved,
    TeamRenamed,
    TeamRestored,
    TeamRole,
    TeamRoleChanged,
    TooManyTeamMembers,
)
from tests.domain.spec import (
    ANA,
    BEN,
    CLEO,
    QUICK,
    Decision,
    check_refused,
    check_repeating_records_nothing,
    events_of,
    given,
)

LEAD, MEMBER = TeamRole.LEAD, TeamRole.MEMBER
CREATED = TeamCreated(name="Gears", created_by=ANA)
NEW = given(Team(), CREATED)
TEAM = given(
    NEW, TeamMemberAdded(user_id=BEN, role=LEAD), TeamMemberAdded(user_id=CLEO, role=MEMBER)
)
DELETED = given(TEAM, TeamDeleted())


def test_a_new_team_has_nobody_in_it() -> None:
    assert Team().create(CREATED) == [CREATED]
    assert NEW.create(CREATED) == []
    assert not NEW.members


def test_whoever_is_added_again_gets_the_new_role() -> None:
    assert NEW.add(BEN, LEAD) == [TeamMemberAdded(user_id=BEN, role=LEAD)]
    assert TEAM.add(BEN, LEAD) == []
    assert TEAM.add(CLEO, LEAD) == [TeamRoleChanged(user_id=CLEO, from_=MEMBER, to=LEAD)]


def test_a_role_is_changed_only_of_who_is_there() -> None:
    assert TEAM.change_role(BEN, MEMBER) == [TeamRoleChanged(user_id=BEN, from_=LEAD, to=MEMBER)]
    assert TEAM.change_role(BEN, LEAD) == []
    check_refused(NotFound, lambda: TEAM.change_role(ANA, LEAD))


def test_whoever_is_removed_is_no_longer_there() -> None:
    removed = TEAM.remove(BEN, TeamLeaveCause.REMOVED)

    assert removed == [TeamMemberRemoved(user_id=BEN, cause=TeamLeaveCause.REMOVED)]
    assert TEAM.remove(ANA, TeamLeaveCause.REMOVED) == []
    assert not given(TEAM, *removed).has(BEN)


def test_a_team_has_at_most_500_members() -> None:
    crowd = [TeamMemberAdded(user_id=UserId(UUID(int=100 + n)), role=MEMBER) for n in range(498)]
    full = given(TEAM, *crowd)
    assert len(full.members) == TEAM_MEMBERS_MAX

    check_refused(TooManyTeamMembers, lambda: full.add(ANA, MEMBER))
    assert full.add(CLEO, LEAD) != []
    assert given(full, *full.remove(BEN, TeamLeaveCause.LEFT)).add(ANA, MEMBER) != []


def test_nobody_is_in_a_deleted_team_and_nobody_leads_it() -> None:
    assert (TEAM.has(BEN), TEAM.is_led_by(BEN)) == (True, True)
    assert (TEAM.has(CLEO), TEAM.is_led_by(CLEO)) == (True, False)
    assert not DELETED.has(BEN)
    assert not DELETED.is_led_by(BEN)


def test_a_deleted_team_can_only_be_restored_with_its_members() -> None:
    check_refused(
        NotFound,
        DELETED.delete,
        lambda: DELETED.rename("Wheels"),
        lambda: DELETED.add(ANA, MEMBER),
        lambda: DELETED.change_role(BEN, MEMBER),
        lambda: DELETED.remove(BEN, TeamLeaveCause.LEFT),
        Team().delete,
        Team().restore,
    )
    assert DELETED.restore() == [TeamRestored()]
    assert given(DELETED, TeamRestored()) == TEAM
    assert TEAM.restore() == []


def test_a_new_name_is_recorded_once() -> None:
    assert TEAM.rename("Wheels") == [TeamRenamed(from_="Gears", to="Wheels")]
    assert TEAM.rename("Gears") == []


@pytest.mark.parametrize("same", ["GEARS", "gears", " Gears ", "\uff27ears"])
def test_names_that_look_the_same_are_the_same(same: str) -> None:
    assert folded(same) == folded("Gears")


@pytest.mark.parametrize("other", ["Gear s", "Gearß", "Géars"])
def test_other_names_are_not(other: str) -> None:
    assert folded(other) != folded("Gears")


@QUICK
@forall(st.lists(events_of(TeamEvent), max_size=12))
def test_folding_never_raises(events: list[TeamEvent]) -> None:
    assert isinstance(given(Team(), *events), Team)


STEPS = st.sampled_from([BEN, CLEO]).flatmap(
    lambda who: st.sampled_from(
        [
            lambda t: t.create(CREATED),
            lambda t: t.rename(who.hex),
            lambda t: t.add(who, LEAD),
            lambda t: t.change_role(who, MEMBER),
            lambda t: t.remove(who, TeamLeaveCause.REMOVED),
            lambda t: t.delete(),
            lambda t: t.restore(),
        ]
    )
)


@QUICK
@forall(st.lists(STEPS, max_size=15))
def test_repeating_a_decision_records_nothing(steps: list[Decision]) -> None:
    check_repeating_records_nothing(Team(), steps)
