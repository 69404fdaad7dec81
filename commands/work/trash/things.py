"""What can be in the trash: what each kind folds to, and the event that purges it."""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from commands.base import Change, Decision, KeyDestroyed
from commands.reads import Reads
from domain.base import Event
from domain.hooks.webhook.events import WebhookPurged
from domain.hooks.webhook.state import Webhook
from domain.planning.cycle import Cycle, CyclePurged
from domain.planning.field import Field, FieldPurged
from domain.planning.milestone import Milestone, MilestonePurged
from domain.planning.template.events import TemplatePurged
from domain.planning.template.state import TaskTemplate
from domain.planning.view import SavedView, ViewPurged
from domain.planning.worklog import Worklog, WorklogPurged
from domain.work.attachment import Attachment, AttachmentPurged
from domain.work.comment import Comment, CommentPurged
from domain.work.label import Label, LabelPurged
from domain.work.project.events import ProjectPurged
from domain.work.project.state import Project
from domain.work.task.state import Task
from domain.work.task.trash_events import TaskPurged
from domain.work.team import Team, TeamPurged
from domain.work.trash import TrashKind

Trashable = (
    Project
    | Task
    | Comment
    | Attachment
    | Label
    | Team
    | Webhook
    | Cycle
    | Milestone
    | Field
    | SavedView
    | Worklog
    | TaskTemplate
)

TRASHABLE: dict[TrashKind, type[Trashable]] = {
    TrashKind.PROJECT: Project,
    TrashKind.TASK: Task,
    TrashKind.COMMENT: Comment,
    TrashKind.ATTACHMENT: Attachment,
    TrashKind.LABEL: Label,
    TrashKind.TEAM: Team,
    TrashKind.WEBHOOK: Webhook,
    TrashKind.CYCLE: Cycle,
    TrashKind.MILESTONE: Milestone,
    TrashKind.FIELD: Field,
    TrashKind.VIEW: SavedView,
    TrashKind.WORKLOG: Worklog,
    TrashKind.TEMPLATE: TaskTemplate,
}

CONTENTS_PURGED: tuple[type[Event], ...] = (
    TaskPurged,
    CommentPurged,
    AttachmentPurged,
    WorklogPurged,
    LabelPurged,
    CyclePurged,
    MilestonePurged,
    FieldPurged,
    ViewPurged,
    TemplatePurged,
)
"""What is recorded of what a task or a project takes along."""

PURGED: tuple[type[Event], ...] = (ProjectPurged, TeamPurged, WebhookPurged, *CONTENTS_PURGED)
"""Every event that ends the life of something in the trash, with the key of its texts."""


OF_ORGANIZATION_PURGED: tuple[type[Event], ...] = (
    ProjectPurged,
    TeamPurged,
    LabelPurged,
    WebhookPurged,
    ViewPurged,
    TemplatePurged,
)
"""What is recorded of what an organization takes along; the rest is in projects and tasks."""


_PURGE: dict[type[Trashable], Callable[[Any], Event]] = {
    Project: lambda _: ProjectPurged(),
    Task: lambda _: TaskPurged(),
    Label: lambda _: LabelPurged(),
    Team: lambda _: TeamPurged(),
    Webhook: lambda _: WebhookPurged(),
    Comment: lambda one: CommentPurged(task_id=one.task_id),
    Attachment: lambda one: AttachmentPurged(task_id=one.task_id),
    Cycle: lambda one: CyclePurged(project_id=one.project_id),
    Milestone: lambda one: MilestonePurged(project_id=one.project_id),
    Field: lambda one: FieldPurged(project_id=one.project_id),
    SavedView: lambda _: ViewPurged(),
    Worklog: lambda one: WorklogPurged(task_id=one.task_id),
    TaskTemplate: lambda _: TemplatePurged(),
}


class Thing(NamedTuple):
    """Something that is, or is part of what is, in the trash."""

    kind: TrashKind
    id: UUID


async def read_thing(read: Reads, thing: Thing) -> Trashable:
    """Return the state of a thing.

    :raises NotFound: it is of another kind.
    """
    return await read(TRASHABLE[thing.kind], thing.id)


def purge(thing: Thing, state: Trashable) -> Decision:
    """Return what purges a thing: its event, and its key, which goes in the same instant."""
    return [Change(thing.id, [_PURGE[type(state)](state)]), KeyDestroyed(thing.id)]
