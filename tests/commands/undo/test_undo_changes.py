"""Stories of the command that undoes: whose changes, in which order, how many, and of what."""

from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from commands.base import ChangedSince, NotPermitted
from commands.exchange.bulk import BULK_MAX
from commands.undo.changed import Changed, RecalledEvent
from commands.undo.order import in_order
from commands.undo.undo_changes import EVENTS_MAX
from commands.undo.undoing import Undone
from domain.base import ERASED, NotFound, TaskId
from domain.identity.organization.events import PlanChanged
from domain.identity.organization.settings import SettingsChanged
from domain.identity.plan import Plan, PlanLimitReached
from domain.undo import ChangesUndone, TooManyChanges, ValueErased, undo_of
from domain.work.project.events import ProjectVisibilityChanged, Visibility
from domain.work.task.events import (
    Priority,
    TaskCreated,
    TaskLabelled,
    TaskMoved,
    TaskPriorityChanged,
    TaskRetitled,
    TaskUnlabelled,
)
from domain.work.task.state import Task
from domain.work.workflow.events import StatusGroup
from tests.commands.acme import CREATED, OPENED, OPS, PROJECT, TEAM, task
from tests.commands.undo.rows import BUG, LABELLED
from tests.commands.undo.undoing import NAME, recalled, undoing
from tests.domain.spec import ACME, ANA, BEN, CLEO, ENG, TASK
from tests.spec import given, on

TITLED = TaskRetitled(from_="Oil it", to="Grease it")
BACK = TaskRetitled(from_="Grease it", to="Oil it")
URGENT = TaskPriorityChanged(from_=Priority.MEDIUM, to=Priority.URGENT)
PAST = on(TASK, CREATED, TITLED)
HERE = (TEAM, PROJECT, PAST)
UNDONE = on(undo_of(ACME, NAME), ChangesUndone(correlation_id=NAME, done=1, conflicts=0))
HIDDEN = on(
    ENG,
    OPENED,
    ProjectVisibilityChanged(from_=Visibility.ORGANIZATION, to=Visibility.PRIVATE),
)


class TestWhose:
    def test_a_member_undoes_their_own(self) -> None:
        command = undoing(recalled(PAST, by=CLEO))

        given(*HERE).when(command, by=CLEO).then(on(TASK, BACK), UNDONE)

    def test_a_member_does_not_undo_what_others_did(self) -> None:
        given(*HERE).when(undoing(recalled(PAST, by=ANA)), by=CLEO).then_refused(NotPermitted)

    def test_a_manager_does(self) -> None:
        given(*HERE).when(undoing(recalled(PAST, by=ANA)), by=BEN).then(on(TASK, BACK), UNDONE)

    def test_what_our_own_rules_did_is_done_by_others(self) -> None:
        given(*HERE).when(undoing(recalled(PAST, by=None)), by=CLEO).then_refused(NotPermitted)

    def test_what_they_do_not_see_is_not_there(self) -> None:
        past = (TEAM, HIDDEN, PAST)

        given(*past).when(undoing(recalled(PAST, by=CLEO)), by=CLEO).then_refused(NotFound)

    def test_what_they_may_not_read_of_how_the_organization_is_run_is_not_there(self) -> None:
        found = on(ACME, *TEAM.events, SettingsChanged(require_totp=True))

        given(*HERE).when(undoing(recalled(found)), by=CLEO).then_refused(NotFound)

    def test_nothing_is_not_found(self) -> None:
        given(*HERE).when(undoing()).then_refused(NotFound)


class TestHowMany:
    def test_a_plan_limits_the_things(self) -> None:
        given(*HERE).when(undoing(*_seen(51))).then_refused(PlanLimitReached)

    @pytest.mark.parametrize(("things", "each"), [(BULK_MAX + 1, 1), (1, EVENTS_MAX + 1)])
    def test_nobody_undoes_more(self, things: int, each: int) -> None:
        paying = on(ACME, PlanChanged(from_=Plan.FREE, to=Plan.PREMIUM))
        events = [event for event in _seen(things) for _ in range(each)]

        given(*HERE, paying).when(undoing(*events)).then_refused(TooManyChanges)


def _seen(count: int) -> list[RecalledEvent]:
    """Return changes of as many things that everybody sees."""
    [one] = recalled(LABELLED)
    return [replace(one, stream=UUID(int=10_000 + n), seq=n) for n in range(count)]


class TestWhat:
    def test_what_was_changed_since_is_told(self) -> None:
        told: list[Undone] = []
        newer = TaskRetitled(from_="Grease it", to="Polish it")
        now = on(TASK, CREATED, TITLED, newer)

        given(TEAM, PROJECT, now).when(undoing(recalled(PAST), note=told)).then()

        [conflict] = told[0].conflicts
        assert (conflict.kind, conflict.id, conflict.field) == ("task", TASK, "title")
        assert (conflict.code, told[0].undone, told[0].unchanged) == (ChangedSince.code, 0, 0)

    def test_what_is_undone_already_records_nothing(self) -> None:
        told: list[Undone] = []
        now = on(TASK, CREATED, TITLED, BACK)

        given(TEAM, PROJECT, now).when(undoing(recalled(PAST), note=told)).then()

        assert told == [Undone(0, 1, ())]

    def test_what_led_there_and_back_records_nothing(self) -> None:
        there = on(TASK, CREATED, TITLED, BACK)
        told: list[Undone] = []

        given(TEAM, PROJECT, there).when(undoing(recalled(there, 2), note=told)).then()

        assert told == [Undone(0, 2, ())]

    def test_the_last_change_is_undone_first(self) -> None:
        twice = on(TASK, CREATED, TITLED, TaskRetitled(from_="Grease it", to="Polish it"))
        done = ChangesUndone(correlation_id=NAME, done=2, conflicts=0)

        given(TEAM, PROJECT, twice).when(undoing(recalled(twice, 2))).then(
            on(TASK, TaskRetitled(from_="Polish it", to="Grease it"), BACK),
            on(undo_of(ACME, NAME), done),
        )

    def test_what_was_created_goes_with_all_that_was_done_to_it(self) -> None:
        made = on(TASK, CREATED, TITLED, URGENT)

        outcome = given(TEAM, PROJECT, made).when(undoing(recalled(made, 3)))

        assert [type(each.events[0]).__name__ for each in outcome.recorded] == [
            "TaskDeleted",
            "ChangesUndone",
        ]

    def test_an_erased_value_does_not_come_back(self) -> None:
        was, given_, now = Task(title=ERASED), Task(title="New"), Task(title="New")

        with pytest.raises(ValueErased):
            _changed(was, given_, now).earlier("title")

    def test_a_field_that_the_event_left_alone_does_not_go_back(self) -> None:
        was, given_, now = Task(title="Old"), Task(title="Old"), Task(title="New")

        assert _changed(was, given_, now).earlier("title") == {}


class TestOrder:
    def test_a_task_that_was_moved_on_and_on_goes_back_at_once(self) -> None:
        there = on(TASK, CREATED, _moved(ENG, OPS), _moved(OPS, TaskId(UUID(int=25))))

        [once] = in_order(recalled(there, 2))

        assert isinstance(once.before, Task)
        assert once.before.project_id == ENG

    def test_what_a_move_took_comes_back_behind_it(self) -> None:
        lost = TaskUnlabelled(label_id=BUG)
        past = on(TASK, CREATED, TaskLabelled(label_id=BUG), _moved(ENG, OPS), lost, TITLED)

        found = [type(each.event) for each in in_order(recalled(past, 3))]

        assert found == [TaskRetitled, TaskMoved, TaskUnlabelled]

    def test_the_last_command_comes_first(self) -> None:
        first, then = recalled(PAST, request="one"), recalled(on(TASK, CREATED, URGENT))
        later = [replace(each, request_id="two", seq=9) for each in then]

        found = [type(each.event) for each in in_order([*first, *later])]

        assert found == [TaskPriorityChanged, TaskRetitled]


def _moved(source: Any, target: Any) -> TaskMoved:
    return TaskMoved(
        from_project_id=source,
        from_key="ENG-1",
        project_id=target,
        project_key="OPS",
        number=1,
        status="TODO",
        group=StatusGroup.TODO,
        parent_id=None,
    )


def _changed(was: Task, given_: Task, now: Task) -> Changed:
    created: TaskCreated = task()
    return Changed(created, TASK, was, given_, now, (), ANA)
