"""The rules about plans and about whom work is given to, checked on the folded states."""

from collections.abc import Iterator
from typing import Any

from commands.lint.rules import Known
from domain.base import ERASED, Event
from domain.catalog import tag_of
from domain.hooks.webhook.state import Webhook
from domain.identity.organization.state import Organization
from domain.planning.cycle import Cycle
from domain.planning.field import CHOOSING, Field, stream_of_field
from domain.planning.milestone import Milestone
from domain.planning.template.state import TaskTemplate
from domain.planning.view import SavedView
from domain.sight import sees
from domain.work.label import Label
from domain.work.project.events import ProjectLeadAssigned, ProjectMemberAdded, ProjectStatus
from domain.work.project.state import Project
from domain.work.task.custom_field import TaskFieldSet
from domain.work.task.events import TaskAssigned
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from domain.work.task.recurrence_events import TaskRepeated
from domain.work.task.state import Task
from domain.work.team import Team, TeamMemberAdded, TeamMemberRemoved

_OF_A_PROJECT = Cycle | Milestone | Field | SavedView | TaskTemplate | Label
"""What belongs to a project, or to the whole organization."""


def broken_plans(event: Event, before: Any, after: Any, known: Known, owner: Any) -> Iterator[str]:
    """Yield the rules about plans that *event* breaks, given its stream around it.

    *owner* is its organization.
    """
    if isinstance(after, _OF_A_PROJECT | Webhook | Team):
        yield from _part(event, before, after, known)
    elif isinstance(after, Task):
        yield from _planned(event, before, after, known)
    if isinstance(owner, Organization) and owner.created:  # a fork becomes one last
        yield from _given(event, after, known, owner)


def _part(event: Event, before: Any, after: Any, known: Known) -> Iterator[str]:
    kind, _, what = tag_of(event).partition(".")
    if before.deleted and what != "restored" and not isinstance(event, TeamMemberRemoved):
        yield f"a deleted {kind} is changed"
    if isinstance(after, _OF_A_PROJECT) and after.project_id is not None:
        project = known(after.project_id)
        if not isinstance(project, Project) or project.deleted:
            yield f"a {kind} of a project that is not here is changed"
        elif project.status is ProjectStatus.ARCHIVED:
            yield f"a {kind} of an archived project is changed"


def _planned(event: Event, before: Task, after: Task, known: Known) -> Iterator[str]:
    match event:
        case TaskCycleChanged() | TaskMilestoneChanged() if event.to is not None:
            part = known(event.to)
            if not isinstance(part, Cycle | Milestone) or part.project_id != after.project_id:
                yield "a task is planned for what its project does not have"
            elif part.deleted:
                yield "a task is planned for what is in the trash"
        case TaskFieldSet() if event.to is not None:
            yield from _filled(event, after, known)
        case TaskRepeated():
            if before.repeats is None:
                yield "a task that does not repeat is followed by another"
            elif not isinstance(known(event.task_id), Task):
                yield "the next task of a series is not here"
        case _:
            pass


def _filled(event: TaskFieldSet, after: Task, known: Known) -> Iterator[str]:
    project_id = after.project_id
    field = None if project_id is None else known(stream_of_field(project_id, event.key))
    if not isinstance(field, Field) or field.kind is not event.kind:
        yield "a task gets a value of a field that its project does not have"
    elif field.deleted:
        yield "a task gets a value of a field that is in the trash"
    elif event.kind in CHOOSING and not field.offered.issuperset(_options(event)):
        yield "a task gets an option that its field does not offer"


def _options(event: TaskFieldSet) -> list[str]:
    """Return the keys of the options that a task gets, none if they are erased."""
    return [] if event.to in {None, ERASED} else str(event.to).split("\n")


def _given(event: Event, after: Any, known: Known, owner: Organization) -> Iterator[str]:
    match event:
        case TeamMemberAdded(user_id=user_id) | ProjectMemberAdded(user_id=user_id):
            if owner.role_of(user_id) is None:
                yield "somebody is added who is no member of the organization"
        case ProjectLeadAssigned(user_id=lead):
            if lead is not None and owner.role_of(lead) is None:
                yield "a project is led by somebody who is no member of the organization"
        case TaskAssigned(user_id=user_id):
            project = known(after.project_id)
            if not isinstance(project, Project):
                return
            team = None if project.team_id is None else known(project.team_id)
            if not sees(project, user_id, owner.role_of(user_id), team):
                yield "a task is assigned to somebody who does not see it"
        case _:
            pass
