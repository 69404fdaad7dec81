"""Stories of the command that imports some lines of a file."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from commands.exchange.import_tasks import LABEL_COLOR, SKIPPED, Existing, Imported, ImportTasks
from commands.exchange.task_line import NumberedLine, TaskLine
from domain.base import LabelId, TaskId
from domain.identity.organization.events import PlanChanged
from domain.identity.plan import Plan, PlanLimitReached
from domain.planning.field import FieldCreated, stream_of_field
from domain.planning.repeat_rule import RecurrenceNotValid
from domain.work.label import LabelCreated
from domain.work.project.errors import ProjectOnHold
from domain.work.project.events import ProjectPutOnHold
from domain.work.task.custom_field import FieldType, TaskFieldSet
from domain.work.task.events import (
    Priority,
    TaskAssigned,
    TaskDescribed,
    TaskEstimated,
    TaskLabelled,
    TaskPriorityChanged,
    TaskRetitled,
    TaskSchedule,
    TaskScheduled,
    TaskStatus,
    TaskUnassigned,
    TaskUnlabelled,
)
from domain.work.task.imported import TaskImported
from domain.work.task.mentions import TaskMentioned
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from domain.work.task.recurrence_events import Recurrence, RepeatAfter, TaskRecurrenceSet
from tests.commands.acme import CHILD, HERE, task, went
from tests.commands.planning.plans import BETA, ONE, PLANNED
from tests.domain.spec import ACME, ANA, BEN, CLEO, ENG, NOW, TASK
from tests.spec import data_keys, given, on

NEW, NEWER = TaskId(UUID(int=501)), TaskId(UUID(int=502))
BUG = LabelId(UUID(int=71))
SIZE = stream_of_field(ENG, "size")
SIZED = on(
    SIZE,
    FieldCreated(
        project_id=ENG, key="size", name="Size", kind=FieldType.TEXT, created_by=ANA, created_at=NOW
    ),
)
OLD = datetime(2019, 3, 1, tzinfo=UTC)


def line(number: int, task_id: TaskId, external_id: str, **about: Any) -> NumberedLine:
    return NumberedLine(number, task_id, TaskLine(id=external_id, title="Oil it", **about))


def importing(
    *lines: NumberedLine,
    note: Callable[[Imported], None] = lambda _: None,
    existing: Existing = SKIPPED,
) -> ImportTasks:
    return ImportTasks(
        project_id=ENG,
        lines=lines,
        new_labels={"bug": BUG},
        fingerprint=data_keys().fingerprint,
        existing=existing,
        note=note,
    )


class TestImportTasks:
    def test_a_line_becomes_a_task_with_all_that_it_says(self) -> None:
        full = line(
            1,
            NEW,
            "J-1",
            due_date=date(2027, 1, 31),
            estimate=3,
            assignees=(str(CLEO),),
            labels=("Bug",),
            cycle="one",
            milestone="Beta",
            fields={"size": "L"},
            mentions=(str(CLEO), "nobody@else.example"),
            occurred_at=OLD,
            author="Jo",
        )
        given(*PLANNED, SIZED).when(importing(full)).then(
            on(
                BUG,
                LabelCreated(
                    name="Bug", color=LABEL_COLOR, project_id=ENG, created_by=ANA, created_at=NOW
                ),
            ),
            on(
                NEW,
                task(number=2),
                TaskScheduled(from_=TaskSchedule(), to=TaskSchedule(due_date=date(2027, 1, 31))),
                TaskEstimated(from_=None, to=3),
                TaskAssigned(user_id=CLEO),
                TaskLabelled(label_id=BUG),
                TaskFieldSet(key="size", kind=FieldType.TEXT, to="L"),
                TaskCycleChanged(from_=None, to=ONE),
                TaskMilestoneChanged(from_=None, to=BETA),
                TaskMentioned(mentions=(CLEO,)),
                TaskImported(external_id="J-1", occurred_at=OLD, author="Jo"),
            ),
        )

    def test_a_task_repeats_from_then_on_unless_its_series_is_over(self) -> None:
        later = line(1, NEW, "J-1", rrule="freq=daily", repeat_after=RepeatAfter.COMPLETION)
        over = line(2, NEWER, "J-2", rrule="FREQ=DAILY;UNTIL=20200101")
        wrong = line(3, CHILD, "J-3", rrule="daily")
        repeats = Recurrence(
            rrule="FREQ=DAILY", after=RepeatAfter.COMPLETION, series_id=NEW, day=NOW.date()
        )
        noted: list[Imported] = []
        given(*PLANNED).when(importing(later, over, wrong, note=noted.append)).then(
            task(number=2),
            TaskImported(external_id="J-1"),
            TaskRecurrenceSet(from_=None, to=repeats),
            task(number=3),
            TaskImported(external_id="J-2"),
        )
        assert [type(each.refused) for each in noted[-1].outcomes][2] is RecurrenceNotValid

    def test_what_has_an_external_id_already_is_left_alone(self) -> None:
        past = on(NEW, task(number=2), TaskImported(external_id="J-1"))
        noted: list[Imported] = []
        asked = importing(line(1, NEWER, "J-1"), line(2, CHILD, str(TASK)), note=noted.append)
        given(*HERE, past).when(asked).then()

        assert [each.found for each in noted[-1].outcomes] == [NEW, TASK]

    def test_what_differs_is_changed_if_asked_but_not_by_an_import_that_goes_on(self) -> None:
        noted: list[Imported] = []
        past = on(NEW, task(number=2), TaskImported(external_id="J-1"))
        lines = (line(1, NEWER, "J-1", estimate=3, priority=Priority.HIGH),)

        given(*HERE, past).when(
            importing(*lines, note=noted.append, existing=Existing(updates=True))
        ).then(
            on(
                NEW,
                TaskPriorityChanged(from_=Priority.MEDIUM, to=Priority.HIGH),
                TaskEstimated(from_=None, to=3),
            )
        )
        assert [*noted[-1].outcomes[0].changed] == ["priority", "estimate"]
        given(*HERE, past).when(
            importing(*lines, note=noted.append, existing=Existing(True, UUID(int=1)))
        ).then()
        assert [*noted[-1].outcomes[0].changed] == []

    def test_a_task_becomes_what_its_line_says_now(self) -> None:
        rare = LabelId(UUID(int=72))
        made = LabelCreated(
            name="Rare", color=LABEL_COLOR, project_id=ENG, created_by=ANA, created_at=NOW
        )
        past = on(
            NEW,
            task(number=2),
            TaskAssigned(user_id=BEN),
            TaskLabelled(label_id=rare),
            TaskImported(external_id="J-1"),
        )
        said = TaskLine(
            id="J-1",
            title="Oil them",
            description="All of them.",
            status="IN_PROGRESS",
            assignees=(str(CLEO),),
            labels=("Bug",),
        )
        asked = importing(NumberedLine(1, NEWER, said), existing=Existing(updates=True))
        given(*HERE, on(rare, made), past).when(asked).then(
            on(BUG, replace(made, name="Bug")),
            on(
                NEW,
                TaskUnlabelled(label_id=rare),
                TaskLabelled(label_id=BUG),
                TaskUnassigned(user_id=BEN),
                TaskAssigned(user_id=CLEO),
                TaskRetitled(from_="Oil it", to="Oil them"),
                TaskDescribed(description="All of them."),
                *went(TaskStatus.IN_PROGRESS),
            ),
        )

    def test_a_refused_line_stops_no_other(self) -> None:
        noted: list[Imported] = []
        asked = importing(
            line(1, NEW, "J-1", parent="J-9", labels=("Bug",)),
            line(2, NEWER, "J-2"),
            note=noted.append,
        )
        given(*HERE).when(asked).then(on(NEWER, task(number=2), TaskImported(external_id="J-2")))

        refused = [each.refused for each in noted[-1].outcomes]
        assert [None if each is None else each.code for each in refused] == ["unknown_parent", None]

    def test_cycles_and_milestones_are_there_before(self) -> None:
        noted: list[Imported] = []
        lines = (line(1, NEW, "J-1", cycle="Two"), line(2, NEWER, "J-2", milestone="One"))
        given(*PLANNED).when(importing(*lines, note=noted.append)).then()

        refused = [each.refused for each in noted[-1].outcomes]
        assert [each and each.code for each in refused] == ["unknown_cycle", "unknown_milestone"]

    def test_the_plan_limits_how_many_lines_a_command_has(self) -> None:
        lines = [line(n, TaskId(UUID(int=600 + n)), f"J-{n}") for n in range(1, 52)]
        given(*HERE).when(importing(*lines)).then_refused(PlanLimitReached)
        basic = on(ACME, PlanChanged(from_=Plan.FREE, to=Plan.BASIC))
        given(*HERE, basic).when(importing(*lines), dry_run=True)

    def test_a_project_on_hold_takes_nothing(self) -> None:
        given(*HERE, on(ENG, ProjectPutOnHold())).when(importing(line(1, NEW, "J-1"))).then_refused(
            ProjectOnHold
        )
