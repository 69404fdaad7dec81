"""Rows: events of one stream of which the last is undone, and what that records."""

from typing import NamedTuple
from uuid import UUID

from domain.base import Event, FieldId, LabelId, TeamId
from domain.planning import field, worklog
from domain.work import attachment, comment, label, team
from domain.work.project import events as project
from domain.work.relation import RelationAdded, RelationKind, RelationRemoved, graph_of
from domain.work.task import events as task
from domain.work.task.custom_field import FieldType
from domain.work.workflow.events import StatusGroup
from domain.work.workflow.state import STANDARD
from tests.commands import acme
from tests.commands.acme import CHILD, CREATED, HERE, OPENED, OPS, PROJECT, TEAM
from tests.commands.planning import plans
from tests.domain.spec import ACME, ANA, ENG, NOW, TASK
from tests.spec import Past, on

BUG, GEARS = LabelId(UUID(int=71)), TeamId(UUID(int=72))
SIZE = FieldId(field.stream_of_field(ENG, "size"))
GRAPH = graph_of(ACME)
SPARE = on(OPS, project.ProjectCreated(key="OPS", name="Other", created_by=ANA))
SECOND = on(CHILD, acme.task(number=2))
LABEL = label.LabelCreated(name="Bug", color="#ff0000", created_by=ANA, created_at=NOW)
TOGETHER = team.TeamCreated(name="Gears", created_by=ANA)
FIELD = field.FieldCreated(
    project_id=ENG,
    key="size",
    name="Size",
    kind=FieldType.SELECT,
    options=(field.OptionRule(key="s"),),
    option_names="Small",
    created_by=ANA,
    created_at=NOW,
)
BLOCKS = RelationKind.BLOCKS
LEAD, MEMBER = team.TeamRole.LEAD, team.TeamRole.MEMBER
PRIVATE, OPEN = project.Visibility.PRIVATE, project.Visibility.ORGANIZATION
TODO, DOING, DONE = task.TaskStatus.TODO, task.TaskStatus.IN_PROGRESS, task.TaskStatus.DONE
WEEK = plans.days(0, 6)


class Row(NamedTuple):
    """Events of one stream of which the last is undone, and what that records."""

    past: Past
    then: tuple[Event, ...]
    beside: tuple[Past, ...] = (TEAM, PROJECT)


def of_task(*events: Event, then: tuple[Event, ...], beside: tuple[Past, ...] = ()) -> Row:
    return Row(on(TASK, CREATED, *events), then, (TEAM, PROJECT, *beside))


def of(stream: UUID, *events: Event, then: Event | tuple[Event, ...], task: bool = False) -> Row:
    beside = HERE if task else (TEAM, PROJECT)
    return Row(on(stream, *events), then if isinstance(then, tuple) else (then,), beside)


def of_project(*events: Event, then: Event | tuple[Event, ...]) -> Row:
    return Row(on(ENG, OPENED, *events), then if isinstance(then, tuple) else (then,), (TEAM,))


MOVED = task.TaskMoved(
    from_project_id=ENG,
    from_key="ENG-1",
    project_id=OPS,
    project_key="OPS",
    number=1,
    status=TODO,
    group=StatusGroup.TODO,
    parent_id=None,
)
DELETED = task.TaskDeleted(at=NOW, project_id=ENG, owner=ANA)
LABELLED = on(BUG, LABEL)
PLANNED = (on(plans.ONE, plans.cycle()), on(plans.BETA, plans.milestone()))
COMMENT_GONE = comment.CommentDeleted(task_id=TASK, deleted_by=ANA, project_id=ENG, owner=ANA)
FILE_GONE = attachment.AttachmentDeleted(task_id=TASK, deleted_by=ANA, project_id=ENG, owner=ANA)
TIME_GONE = worklog.WorklogDeleted(
    task_id=TASK, minutes=30, deleted_by=ANA, project_id=ENG, owner=ANA
)
RELATED = RelationAdded(kind=BLOCKS, from_=TASK, to=CHILD, open=True)
UNRELATED = RelationRemoved(kind=BLOCKS, from_=TASK, to=CHILD, open=True)
DEFINED = STANDARD.define(STANDARD.statuses, STANDARD.transitions[:-1], {}, 2)[0]
DEFINED_BACK = STANDARD.evolve(DEFINED).define(STANDARD.statuses, STANDARD.transitions, {}, 3)[0]
