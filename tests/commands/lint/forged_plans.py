"""Forged plans in the test of the log's check, and work given to whom it may not be given."""

from uuid import UUID

from domain.base import ProjectId, TaskId
from domain.hooks.webhook.events import PauseCause, WebhookDeleted, WebhookPaused
from domain.planning.cycle import CycleDeleted, CycleRenamed
from domain.planning.field import FieldDeleted, stream_of_field
from domain.planning.milestone import MilestoneDeleted
from domain.work.label import LabelDeleted, LabelRenamed
from domain.work.project.events import ProjectLeadAssigned, ProjectMemberAdded
from domain.work.task.custom_field import FieldType, TaskFieldSet
from domain.work.task.events import TaskAssigned
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from domain.work.task.recurrence_events import TaskRepeated
from domain.work.team import TeamDeleted, TeamMemberAdded, TeamRenamed, TeamRole
from tests.commands.planning.plans import BETA, ONE, cycle, milestone
from tests.commands.planning.repeating import DONE, SET, TODAY
from tests.commands.undo.rows import BUG, FIELD, GEARS, LABEL, SIZE, TOGETHER
from tests.domain.spec import BEN, ENG, TASK
from tests.projections.spec import HOOKED, WEBHOOK
from tests.spec import Past, on

OLD = ProjectId(UUID(int=24))
"""An archived project."""
COST = stream_of_field(ENG, "cost")
NOWHERE = TaskId(UUID(int=0xF1))
RENAMED = {"from_": "a", "to": "b"}


def sized(option: str | None) -> TaskFieldSet:
    return TaskFieldSet(key="size", kind=FieldType.SELECT, to=option)


FORGED_PLANS: list[tuple[str, list[Past]]] = [
    (
        "a deleted cycle is changed",
        [on(ONE, cycle(), CycleDeleted(project_id=ENG), CycleRenamed(project_id=ENG, **RENAMED))],
    ),
    ("a deleted team is changed", [on(GEARS, TOGETHER, TeamDeleted(), TeamRenamed(**RENAMED))]),
    ("a deleted label is changed", [on(BUG, LABEL, LabelDeleted(), LabelRenamed(**RENAMED))]),
    (
        "a deleted webhook is changed",
        [on(WEBHOOK, HOOKED, WebhookDeleted(), WebhookPaused(cause=PauseCause.MANUAL))],
    ),
    ("a cycle of an archived project is changed", [on(ONE, cycle(project=OLD))]),
    (
        "a cycle of a project that is not here is changed",
        [on(ONE, cycle(project=ProjectId(UUID(int=0xF2))))],
    ),
    (
        "a task is planned for what its project does not have",
        [on(TASK, TaskCycleChanged(from_=None, to=ONE))],
    ),
    (
        "a task is planned for what its project does not have",
        [on(BETA, milestone(project=OLD)), on(TASK, TaskMilestoneChanged(from_=None, to=BETA))],
    ),
    (
        "a task is planned for what is in the trash",
        [
            on(BETA, milestone(), MilestoneDeleted(project_id=ENG)),
            on(TASK, TaskMilestoneChanged(from_=None, to=BETA)),
        ],
    ),
    ("a task gets a value of a field that its project does not have", [on(TASK, sized("s"))]),
    (
        "a task gets a value of a field that its project does not have",
        [on(SIZE, FIELD), on(TASK, TaskFieldSet(key="size", kind=FieldType.TEXT, to="s"))],
    ),
    (
        "a task gets a value of a field that is in the trash",
        [on(SIZE, FIELD, FieldDeleted(project_id=ENG)), on(TASK, sized("s"))],
    ),
    (
        "a task gets an option that its field does not offer",
        [on(SIZE, FIELD), on(TASK, sized("xl"))],
    ),
    ("a task that does not repeat is followed by another", [on(TASK, DONE)]),
    (
        "the next task of a series is not here",
        [on(TASK, SET, TaskRepeated(task_id=NOWHERE, date=TODAY))],
    ),
    (
        "somebody is added who is no member of the organization",
        [on(GEARS, TOGETHER, TeamMemberAdded(user_id=BEN, role=TeamRole.MEMBER))],
    ),
    (
        "somebody is added who is no member of the organization",
        [on(ENG, ProjectMemberAdded(user_id=BEN))],
    ),
    (
        "a project is led by somebody who is no member of the organization",
        [on(ENG, ProjectLeadAssigned(user_id=BEN))],
    ),
    ("a task is assigned to somebody who does not see it", [on(TASK, TaskAssigned(user_id=BEN))]),
]
"""What is wrong with each."""
