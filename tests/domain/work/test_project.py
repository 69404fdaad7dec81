"""A project: what can be done while it is active, on hold, archived or deleted."""

from uuid import UUID

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from domain.base import DomainError, Event, NotFound, UserId
from domain.work.project.errors import (
    ProjectIsArchived,
    ProjectKeyNotAllowed,
    ProjectOnHold,
    TooManyProjectMembers,
)
from domain.work.project.events import (
    ProjectArchived,
    ProjectCreated,
    ProjectDeleted,
    ProjectDescribed,
    ProjectEvent,
    ProjectKeyChanged,
    ProjectLeadAssigned,
    ProjectMemberAdded,
    ProjectMemberRemoved,
    ProjectPutOnHold,
    ProjectRenamed,
    ProjectRestored,
    ProjectResumed,
    ProjectStatus,
    ProjectTeamLinked,
    ProjectUnarchived,
    ProjectVisibilityChanged,
    Visibility,
)
from domain.work.project.state import PROJECT_TRANSITIONS, Project
from tests.domain.spec import (
    ANA,
    BEN,
    GEARS,
    QUICK,
    Decision,
    check_refused,
    check_repeating_records_nothing,
    events_of,
    given,
)

CREATED = ProjectCreated(key="ENG", name="Engine", created_by=ANA)
ACTIVE = given(Project(), CREATED)
WAITING = given(ACTIVE, ProjectPutOnHold())
ARCHIVED = given(ACTIVE, ProjectArchived())
DELETED = given(WAITING, ProjectDeleted())


def test_a_new_project_is_active() -> None:
    assert Project().create(CREATED) == [CREATED]
    assert Project(key="ENG", name="Engine", members=(ANA,), created=True) == ACTIVE
    assert ACTIVE.status is ProjectStatus.ACTIVE
    assert ACTIVE.create(CREATED) == []


@pytest.mark.parametrize("key", ["EN", "E1", "ENG", "A123456789"])
def test_a_key_of_two_to_ten_capitals_and_digits_is_accepted(key: str) -> None:
    assert Project().create(ProjectCreated(key=key, name="", created_by=ANA)) != []


@pytest.mark.parametrize("key", ["", "E", "eng", "1EN", "E-1", "ENG\n", "A1234567890", "ÄNG", "E٣"])
def test_any_other_key_is_refused(key: str) -> None:
    with pytest.raises(ProjectKeyNotAllowed):
        Project().create(ProjectCreated(key=key, name="", created_by=ANA))


def test_a_changed_field_records_one_event_and_the_same_value_none() -> None:
    assert ACTIVE.rename("Motor") == [ProjectRenamed(from_="Engine", to="Motor")]
    assert ACTIVE.describe("It turns") == [ProjectDescribed(description="It turns")]
    assert ACTIVE.assign_lead(BEN) == [ProjectLeadAssigned(user_id=BEN)]
    assert ACTIVE.rename("Engine") == ACTIVE.describe(None) == ACTIVE.assign_lead(None) == []
    changed = given(
        ACTIVE, *ACTIVE.rename("Motor"), *ACTIVE.describe("It turns"), *ACTIVE.assign_lead(BEN)
    )
    assert (changed.name, changed.description, changed.lead_id) == ("Motor", "It turns", BEN)


def test_a_project_can_be_linked_shown_and_given_another_key_once_each() -> None:
    private = ProjectVisibilityChanged(from_=Visibility.ORGANIZATION, to=Visibility.PRIVATE)
    assert ACTIVE.link_team(GEARS) == [ProjectTeamLinked(team_id=GEARS)]
    assert ACTIVE.show_to(Visibility.PRIVATE) == [private]
    assert ACTIVE.change_key("MOT") == [ProjectKeyChanged(from_="ENG", to="MOT")]
    assert ACTIVE.add_member(BEN) == [ProjectMemberAdded(user_id=BEN)]
    assert ACTIVE.remove_member(ANA) == [ProjectMemberRemoved(user_id=ANA)]
    assert ACTIVE.link_team(None) == ACTIVE.show_to(Visibility.ORGANIZATION) == []
    assert ACTIVE.change_key("ENG") == ACTIVE.add_member(ANA) == ACTIVE.remove_member(BEN) == []
    with pytest.raises(ProjectKeyNotAllowed):
        ACTIVE.change_key("motor")


def test_a_project_has_at_most_500_members() -> None:
    crowd = (ProjectMemberAdded(user_id=UserId(UUID(int=100 + n))) for n in range(499))
    full = given(ACTIVE, *crowd)

    with pytest.raises(TooManyProjectMembers):
        full.add_member(BEN)
    assert full.remove_member(ANA) == [ProjectMemberRemoved(user_id=ANA)]


HOLD, RESUME, ARCHIVE, UNARCHIVE = "hold", "resume", "archive", "unarchive"


@pytest.mark.parametrize(
    ("state", "command", "then"),
    [
        (ACTIVE, HOLD, [ProjectPutOnHold()]),
        (ACTIVE, RESUME, []),
        (ACTIVE, ARCHIVE, [ProjectArchived()]),
        (ACTIVE, UNARCHIVE, []),
        (WAITING, HOLD, []),
        (WAITING, RESUME, [ProjectResumed()]),
        (WAITING, ARCHIVE, [ProjectArchived()]),
        (WAITING, UNARCHIVE, []),
        (ARCHIVED, HOLD, ProjectIsArchived),
        (ARCHIVED, RESUME, ProjectIsArchived),
        (ARCHIVED, ARCHIVE, []),
        (ARCHIVED, UNARCHIVE, [ProjectUnarchived()]),
        (DELETED, HOLD, NotFound),
        (DELETED, RESUME, NotFound),
        (DELETED, ARCHIVE, NotFound),
        (DELETED, UNARCHIVE, NotFound),
    ],
)
def test_the_status_moves_only_along_the_transitions(
    state: Project, command: str, then: list[Event] | type[DomainError]
) -> None:
    decide = getattr(state, command)
    if isinstance(then, list):
        assert decide() == then
    else:
        with pytest.raises(then):
            decide()


def test_the_transitions_are_exactly_what_the_commands_can_do() -> None:
    reached: dict[ProjectStatus, set[ProjectStatus]] = {s: set() for s in ProjectStatus}
    for state in (ACTIVE, WAITING, ARCHIVED):
        for command in (HOLD, RESUME, ARCHIVE, UNARCHIVE):
            try:
                events = getattr(state, command)()
            except ProjectIsArchived:
                continue
            reached[state.status].add(given(state, *events).status)
    assert {s: to - {s} for s, to in reached.items()} == {
        s: set(t) for s, t in PROJECT_TRANSITIONS.items()
    }


def test_a_hold_can_have_a_reason() -> None:
    assert ACTIVE.hold("no budget") == [ProjectPutOnHold(reason="no budget")]
    assert WAITING.hold("another reason") == []


def test_an_archived_project_cannot_be_edited_but_one_on_hold_can() -> None:
    ACTIVE.refuse_unless_editable()
    WAITING.refuse_unless_editable()
    check_refused(
        ProjectIsArchived,
        ARCHIVED.refuse_unless_editable,
        ARCHIVED.refuse_unless_takes_tasks,
        lambda: ARCHIVED.rename("X"),
        lambda: ARCHIVED.describe("X"),
        lambda: ARCHIVED.assign_lead(ANA),
        lambda: ARCHIVED.link_team(GEARS),
        lambda: ARCHIVED.show_to(Visibility.PRIVATE),
        lambda: ARCHIVED.add_member(BEN),
        lambda: ARCHIVED.change_key("MOT"),
    )


def test_only_an_active_project_accepts_tasks() -> None:
    ACTIVE.refuse_unless_takes_tasks()
    with pytest.raises(ProjectOnHold):
        WAITING.refuse_unless_takes_tasks()
    for gone in (DELETED, Project()):
        with pytest.raises(NotFound):
            gone.refuse_unless_takes_tasks()


@pytest.mark.parametrize("state", [ACTIVE, WAITING, ARCHIVED])
def test_a_restored_project_is_unchanged(state: Project) -> None:
    deleted = given(state, *state.delete())

    assert deleted.restore() == [ProjectRestored()]
    assert given(deleted, ProjectRestored()) == state
    assert state.restore() == []


def test_deleted_and_unknown_projects_are_not_found() -> None:
    check_refused(
        NotFound,
        DELETED.delete,
        Project().delete,
        Project().restore,
        Project().archive,
    )


@QUICK
@forall(st.lists(events_of(ProjectEvent), max_size=12))
def test_folding_never_raises(events: list[ProjectEvent]) -> None:
    assert isinstance(given(Project(), *events), Project)


STEPS = st.sampled_from("ab").flatmap(
    lambda text: st.sampled_from(
        [
            lambda p: p.create(CREATED),
            lambda p: p.rename(text),
            lambda p: p.describe(text),
            lambda p: p.assign_lead(ANA if text == "a" else None),
            lambda p: p.link_team(GEARS if text == "a" else None),
            lambda p: p.show_to(Visibility.PRIVATE if text == "a" else Visibility.ORGANIZATION),
            lambda p: p.add_member(BEN),
            lambda p: p.remove_member(BEN),
            lambda p: p.change_key(f"{text.upper()}1"),
            lambda p: p.hold(text),
            lambda p: p.resume(),
            lambda p: p.archive(),
            lambda p: p.unarchive(),
            lambda p: p.delete(),
            lambda p: p.restore(),
        ]
    )
)


@QUICK
@forall(st.lists(STEPS, max_size=15))
def test_repeating_a_decision_records_nothing(steps: list[Decision]) -> None:
    check_repeating_records_nothing(Project(), steps)
