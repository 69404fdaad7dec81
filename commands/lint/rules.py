"""The rules that decisions enforce, checked afterwards on the states that the events fold to.

They are written against the states and do not call the decisions, so that a decision that forgot
a rule is found too.
"""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from commands.planning.recurrence import SkipOccurrence
from commands.undo.undo_changes import UndoChanges
from commands.work.leaving import UnassignFormerMember
from commands.work.losing_sight import ReleaseWithoutSight
from commands.work.trash.task import RestoreTask
from domain.base import Event
from domain.identity.api_key.events import ApiKeyPurged
from domain.identity.api_key.state import ApiKey
from domain.identity.organization.events import OrganizationPurged, OrganizationRestored
from domain.identity.organization.membership import InvitationRevoked, Role
from domain.identity.organization.sso import MemberUnlinked
from domain.identity.organization.state import Organization
from domain.identity.user.erasure import UserErased
from domain.identity.user.events import LoginFailed, UserReactivated
from domain.identity.user.state import User
from domain.planning.worklog import Worklog, WorklogAdded, WorklogRestored
from domain.work.attachment import (
    Attachment,
    AttachmentRestored,
    AttachmentScanned,
    AttachmentUploaded,
    ScanState,
)
from domain.work.comment import Comment, CommentPosted, CommentRestored
from domain.work.label import Label
from domain.work.project.events import ProjectRestored, ProjectStatus, ProjectUnarchived
from domain.work.project.state import Project
from domain.work.task.events import (
    TaskCreated,
    TaskDeleted,
    TaskLabelled,
    TaskMoved,
    TaskReparented,
    TaskRestored,
    TaskStatusChanged,
    TaskUnassigned,
    TaskUnwatched,
)
from domain.work.task.recurrence_events import TaskOccurrenceSkipped
from domain.work.task.state import ASSIGNEES_MAX, LABELS_MAX, LEVELS_MAX, Task
from domain.work.task.status import guards_into
from domain.work.workflow.state import Workflow

Known = Callable[[UUID], Any]
"""Returns the state of another stream at this point of the log, None if there is none."""


def broken_rules(
    event: Event, before: Any, after: Any, known: Known, command: str = ""
) -> Iterator[str]:
    """Yield the rules that *event* breaks, given the states *before* and *after* it.

    An undo may lead back where no transition of a workflow does, and what lets go of people or
    restores a task also does so in an archived project; *command* says what recorded the event.
    """
    match after:
        case Task():
            yield from _task(event, before, after, known, command)
        case Project():
            yield from _project(event, before)
        case Comment() | Attachment() | Worklog():
            yield from _content(event, before, after, known)
        case Organization():
            yield from _organization(event, before, after)
        case User():
            yield from _user(event, before)
        case ApiKey() if (before.revoked or before.over) and not isinstance(event, ApiKeyPurged):
            yield "an API key that is over is changed"
        case _:
            pass


def _task(event: Event, before: Task, after: Task, known: Known, command: str) -> Iterator[str]:
    if before.project_id is None and not isinstance(event, TaskCreated):
        yield "the first event of a task is not its creation"
        return
    if len(after.assignees) > ASSIGNEES_MAX or len(set(after.assignees)) < len(after.assignees):
        yield "a task has too many assignees, or the same one twice"
    yield from _labels(event, after, known)
    project = None if after.project_id is None else known(after.project_id)
    if not isinstance(project, Project):
        yield "the project of a task is not one of its organization"
    elif not isinstance(event, TaskDeleted | TaskRestored):
        yield from _in_project(event, project, command)
        if isinstance(event, TaskStatusChanged):
            undoes = command == UndoChanges.__name__
            yield from _status(event, before, project.workflow, undoes)
    if isinstance(event, TaskCreated | TaskReparented):
        yield from _parents(after, known)


def _labels(event: Event, after: Task, known: Known) -> Iterator[str]:
    if len(after.labels) > LABELS_MAX or len(set(after.labels)) < len(after.labels):
        yield "a task has too many labels, or the same one twice"
    if isinstance(event, TaskLabelled):
        label = known(event.label_id)
        if not isinstance(label, Label) or label.project_id not in (None, after.project_id):
            yield "the label of a task is not one of its project or its organization"
        elif label.deleted:
            yield "a task gets a label that is in the trash"


def _status(
    event: TaskStatusChanged, before: Task, workflow: Workflow, undoes: bool
) -> Iterator[str]:
    place = workflow.place(before.status, before.group)
    gone = place.key != workflow.moved.get(before.status, before.status)
    steps = workflow.steps[place.key]
    if undoes:
        steps = {key: guards_into(workflow, key) for key in workflow.by_key}
    if (event.from_, event.from_group) != (before.status, before.group):
        yield f"a task goes from {event.from_}, but is in {before.status}"
    if not gone and event.to not in steps:
        yield f"a task goes from {before.status} to {event.to}"
    elif not gone and (*event.guards, *event.past_guards) != steps[event.to]:
        yield f"a task goes to {event.to} past a guard"
    if event.workflow_version != workflow.version:
        yield "a status changes by another version of the workflow than the one that holds"


def _parents(after: Task, known: Known) -> Iterator[str]:
    level, task = 1, after
    while task.parent_id is not None and level <= LEVELS_MAX:
        parent = known(task.parent_id)
        if not isinstance(parent, Task) or parent.project_id != after.project_id:
            yield "the parent of a task is in another project"
            return
        if parent is after:
            yield "a task is below itself"
            return
        level, task = level + 1, parent
    if level > LEVELS_MAX:
        yield f"a task is nested {level} levels deep"


_ALSO_ARCHIVED: dict[str, tuple[type[Event], ...]] = {
    SkipOccurrence.__name__: (TaskOccurrenceSkipped,),
    ReleaseWithoutSight.__name__: (TaskUnassigned, TaskUnwatched),
    UnassignFormerMember.__name__: (TaskUnassigned,),
    RestoreTask.__name__: RestoreTask.records,
    UndoChanges.__name__: RestoreTask.records,
}
"""What changes the tasks of an archived project, too, and by which events."""


def _in_project(event: Event, project: Project, command: str) -> Iterator[str]:
    if project.deleted and not isinstance(event, TaskUnassigned | TaskOccurrenceSkipped):
        yield "a task of a deleted project is changed"
    archived = project.status is ProjectStatus.ARCHIVED
    if archived and not isinstance(event, _ALSO_ARCHIVED.get(command, ())):
        yield "a task of an archived project is changed"
    if project.status is ProjectStatus.ON_HOLD and isinstance(event, TaskCreated | TaskMoved):
        yield "a task is created in a project on hold"


def _content(event: Event, before: Any, after: Any, known: Known) -> Iterator[str]:
    match after:
        case Comment():
            yield from _comment(event, before, after, known)
        case Attachment():
            yield from _attachment(event, before, after, known)
        case _:
            yield from _worklog(event, before, after, known)


def _comment(event: Event, before: Comment, after: Comment, known: Known) -> Iterator[str]:
    if before.task_id is None and not isinstance(event, CommentPosted):
        yield "the first event of a comment is not its posting"
        return
    if before.deleted and not isinstance(event, CommentRestored):
        yield "a deleted comment is changed"
    yield from _on_task("a comment", after.task_id, known)
    if before.task_id is None and after.parent_id is not None:
        parent = known(after.parent_id)
        if not isinstance(parent, Comment) or parent.task_id != after.task_id:
            yield "a comment answers one on another task"
        elif parent.parent_id is not None:
            yield "a comment answers an answer"


def _attachment(event: Event, before: Attachment, after: Attachment, known: Known) -> Iterator[str]:
    if before.task_id is None and not isinstance(event, AttachmentUploaded):
        yield "the first event of an attachment is not its upload"
        return
    if isinstance(event, AttachmentScanned):
        if before.state is not ScanState.PENDING:
            yield "an attachment is scanned twice"
        return
    if before.deleted and not isinstance(event, AttachmentRestored):
        yield "a deleted attachment is changed"
    yield from _on_task("an attachment", after.task_id, known)


def _worklog(event: Event, before: Worklog, after: Worklog, known: Known) -> Iterator[str]:
    if before.task_id is None and not isinstance(event, WorklogAdded):
        yield "the first event of an entry of time is not that it was logged"
        return
    if before.deleted and not isinstance(event, WorklogRestored):
        yield "a deleted entry of time is changed"
    yield from _on_task("an entry of time", after.task_id, known)


def _on_task(what: str, task_id: UUID | None, known: Known) -> Iterator[str]:
    task = None if task_id is None else known(task_id)
    if not isinstance(task, Task) or task.deleted:
        yield f"{what} of a task that is not here is changed"
        return
    project = None if task.project_id is None else known(task.project_id)
    if not isinstance(project, Project) or project.status is ProjectStatus.ARCHIVED:
        yield f"{what} in an archived project is changed"


def _project(event: Event, before: Project) -> Iterator[str]:
    if before.deleted and not isinstance(event, ProjectRestored):
        yield "a deleted project is changed"
    elif before.status is ProjectStatus.ARCHIVED and type(event).__name__ not in _ON_ARCHIVED:
        yield "an archived project is changed"


_ON_ARCHIVED = {
    ProjectUnarchived.__name__,
    ProjectRestored.__name__,
    "ProjectDeleted",
    "ProjectMemberRemoved",  # somebody may have to go
    "ProjectLeadAssigned",
}


_ON_DELETED_ORGANIZATION = (
    OrganizationRestored | OrganizationPurged | MemberUnlinked | InvitationRevoked
)
"""Whoever was invited to an organization that is purged is invited no more."""


def _organization(event: Event, before: Organization, after: Organization) -> Iterator[str]:
    if before.deleted and not isinstance(event, _ON_DELETED_ORGANIZATION):
        yield "a deleted organization is changed"
    if isinstance(event, OrganizationPurged) and not before.deleted:
        yield "an organization is purged that is not in the trash"
    admins = any(m.active and m.role is Role.ADMIN for m in after.members.values())
    if before.members and not admins:  # the creation comes before its first member
        yield "an organization is left without an active ADMIN"


def _user(event: Event, before: User) -> Iterator[str]:
    if before.erasing and not isinstance(event, UserErased):
        yield "an account that is being erased is changed"
    elif not before.active and not isinstance(event, UserReactivated | LoginFailed | UserErased):
        yield "a deactivated account is changed"
