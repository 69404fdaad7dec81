"""Stories of tasks that are created from a template."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from commands.exchange.from_template import MadeFromTemplate
from commands.work.task_plan import Planned
from domain.identity.organization.settings import SettingsChanged
from domain.planning.template.values import StartingValues
from domain.work.task.custom_field import FieldType, TaskFieldSet
from domain.work.task.events import (
    Priority,
    TaskAssigned,
    TaskEstimated,
    TaskLabelled,
    TaskSchedule,
    TaskScheduled,
    TaskWatched,
)
from domain.work.task.mentions import TaskMentioned
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from domain.work.workflow.events import StatusGroup
from tests.commands.acme import HERE, OPS
from tests.commands.exchange.using import BELOW, FULL, MAIN, MARK, TODAY, Noted, kept, made, use
from tests.commands.planning.plans import (
    BETA,
    BUG_FORM,
    ONE,
    OTHER_PROJECT,
    PLANNED,
    TWO,
    cycle,
    days,
    template,
)
from tests.commands.planning.templates import BUG, HIGH, field, label
from tests.domain.spec import ACME, BEN, CLEO, ENG
from tests.spec import given, on


class TestCreateFromTemplate:
    def test_a_task_gets_what_the_template_has(self) -> None:
        form = kept(text="Steps:", values=FULL, fields='{"size":"s"}')
        noted = Noted()

        given(*PLANNED, form, label(ENG), field()).when(use(noted), by=CLEO).then(
            on(
                MAIN,
                made(description="Steps:", priority=Priority.HIGH, created_by=CLEO),
                MARK,
                TaskScheduled(
                    from_=TaskSchedule(),
                    to=TaskSchedule(start_date=TODAY + timedelta(1), due_date=TODAY + timedelta(3)),
                ),
                TaskEstimated(from_=None, to=3),
                TaskAssigned(user_id=CLEO),
                TaskLabelled(label_id=BUG),
                TaskFieldSet(key="size", kind=FieldType.SELECT, to="s"),
                TaskCycleChanged(from_=None, to=ONE),
                TaskMilestoneChanged(from_=None, to=BETA),
            )
        )
        assert noted.made == MadeFromTemplate()

    def test_it_gets_the_subtasks_after_it_in_their_order(self) -> None:
        done = StartingValues(status="DONE")
        form = kept(subtasks=(HIGH, done), subtask_titles="Find it\nTell")
        noted = Noted()

        given(*HERE, form).when(use(noted)).then(
            on(MAIN, made(), MARK),
            on(
                BELOW[0],
                made("Find it", 3, parent_id=MAIN, priority=Priority.HIGH),
                MARK,
                TaskScheduled(
                    from_=TaskSchedule(),
                    to=TaskSchedule(start_date=TODAY + timedelta(1), due_date=TODAY + timedelta(3)),
                ),
            ),
            on(
                BELOW[1],
                made("Tell", 4, parent_id=MAIN, status="DONE", group=StatusGroup.DONE),
                MARK,
            ),
        )
        assert (noted.made.subtasks, noted.made.finished) == (2, 1)

    def test_the_task_itself_is_not_among_the_finished_subtasks(self) -> None:
        form = kept(values=StartingValues(status="DONE"), subtasks=(HIGH,), subtask_titles="Tell")
        noted = Noted()

        given(*HERE, form).when(use(noted))

        assert (noted.made.subtasks, noted.made.finished) == (1, 0)

    def test_what_is_asked_for_wins(self) -> None:
        form = kept(text="Steps:", values=FULL, fields='{"size":"s","note":"n"}')
        asked = use(
            title="Own",
            description=None,
            mentions=(BEN,),
            priority=Priority.LOW,
            estimate=8,
            labels=(),
            assignees=(BEN,),
            start_date=TODAY,
            due_date=TODAY,
            fields={"size": None},
            planned=Planned(cycle_id=TWO, milestone_id=None),
        )
        asked = replace(asked, given=asked.given | {"cycle_id", "milestone_id"})
        other = on(TWO, cycle("Two", days(14, 20)))
        noted = field("note", FieldType.TEXT)

        given(*PLANNED, form, other, noted, field()).when(asked).then(
            made("Own", priority=Priority.LOW),
            MARK,
            TaskScheduled(from_=TaskSchedule(), to=TaskSchedule(start_date=TODAY, due_date=TODAY)),
            TaskEstimated(from_=None, to=8),
            TaskAssigned(user_id=BEN),
            TaskMentioned(mentions=(BEN,), added=(BEN,)),
            TaskFieldSet(key="note", kind=FieldType.TEXT, to="n"),
            TaskCycleChanged(from_=None, to=TWO),
        )

    def test_whom_its_own_description_mentions_watches_the_task(self) -> None:
        asked = use(description="Cleo?", mentions=(CLEO,))

        given(*HERE, kept(text="Steps:")).when(asked).then(
            made(description="Cleo?"),
            MARK,
            TaskMentioned(mentions=(CLEO,), added=(CLEO,)),
            TaskWatched(user_id=CLEO),
        )

    def test_an_estimate_of_nothing_is_one(self) -> None:
        form = kept(values=StartingValues(estimate=0))

        given(*HERE, form).when(use()).then(made(), MARK, TaskEstimated(from_=None, to=0))

    def test_one_part_of_the_plan_can_be_asked_for_alone(self) -> None:
        form = kept(values=StartingValues(cycle_id=ONE, milestone_id=BETA))
        asked = use(planned=Planned(milestone_id=None))
        asked = replace(asked, given=frozenset({"milestone_id"}))

        given(*PLANNED, form).when(asked).then(made(), MARK, TaskCycleChanged(from_=None, to=ONE))

    @pytest.mark.parametrize(
        ("own", "given_name", "values"),
        [
            (Planned(cycle_id=ONE), "cycle_id", StartingValues(milestone_id=BETA)),
            (Planned(milestone_id=BETA), "milestone_id", StartingValues(cycle_id=ONE)),
        ],
    )
    def test_the_template_adds_the_other_part(
        self, own: Planned, given_name: str, values: StartingValues
    ) -> None:
        asked = replace(use(planned=own), given=frozenset({given_name}))

        given(*PLANNED, kept(values=values)).when(asked).then(
            made(),
            MARK,
            TaskCycleChanged(from_=None, to=ONE),
            TaskMilestoneChanged(from_=None, to=BETA),
        )

    @pytest.mark.parametrize(
        ("asked", "starts", "due", "left_out"),
        [
            ({"due_date": TODAY}, None, TODAY, "start_in"),
            ({"due_date": TODAY + timedelta(1)}, TODAY + timedelta(1), TODAY + timedelta(1), None),
            ({"start_date": TODAY + timedelta(4)}, TODAY + timedelta(4), None, "due_in"),
            ({"start_date": None}, None, TODAY + timedelta(3), None),
            ({"due_date": None}, TODAY + timedelta(1), None, None),
        ],
    )
    def test_days_of_a_template_that_meet_others_are_left_out(
        self, asked: dict[str, Any], starts: date | None, due: date | None, left_out: str | None
    ) -> None:
        noted = Noted()
        form = kept(values=StartingValues(start_in=1, due_in=3))

        given(*HERE, form).when(use(noted, **asked)).then(
            made(),
            MARK,
            TaskScheduled(from_=TaskSchedule(), to=TaskSchedule(start_date=starts, due_date=due)),
        )
        told = [] if left_out is None else [(None, left_out, "starts_after_due")]
        assert noted.left_out == told

    def test_a_time_that_is_asked_for_ends_the_day_of_the_template(self) -> None:
        noted = Noted()
        form = kept(values=StartingValues(start_in=9, due_in=9))
        at = datetime(2026, 3, 5, 8, tzinfo=UTC)

        given(*HERE, form).when(use(noted, due_at=at)).then(
            made(), MARK, TaskScheduled(from_=TaskSchedule(), to=TaskSchedule(due_at=at))
        )
        assert noted.left_out == [(None, "start_in", "starts_after_due")]

    def test_days_are_counted_in_the_time_zone_of_the_organization(self) -> None:
        zone = on(ACME, SettingsChanged(time_zone="Pacific/Kiritimati"))  # 14 hours ahead
        form = kept(values=StartingValues(due_in=0))
        evening = datetime(2026, 3, 1, 11, tzinfo=UTC)

        given(*HERE, zone, form).when(use(), now=evening).then(
            made(created_at=evening),
            MARK,
            TaskScheduled(from_=TaskSchedule(), to=TaskSchedule(due_date=date(2026, 3, 2))),
        )

    def test_a_template_of_the_organization_is_used_in_every_project(self) -> None:
        form = on(BUG_FORM, template(project=None, title="A bug"))

        given(*HERE, OTHER_PROJECT, form).when(use(project_id=OPS)).then(
            made(number=1, project_id=OPS, project_key="OPS"), MARK
        )

    def test_using_it_again_with_the_same_ids_records_nothing(self) -> None:
        form = kept(subtasks=(HIGH,), subtask_titles="Find it")
        past = (on(MAIN, made(), MARK), on(BELOW[0], made("Find it", 3, parent_id=MAIN), MARK))

        given(*HERE, form, *past).when(use()).then()
