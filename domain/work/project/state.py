"""Project: a set of tasks under a short key, such as ENG, that begins their numbers.

Invariants
    1. The status moves only along ``PROJECT_TRANSITIONS``; setting the same one records no event.
    2. An archived project can be read but not changed; one on hold accepts no new tasks.
    3. A deleted project can only be restored, and a purged one not even that.
    4. A task key such as ENG-12 always means the same task: a project keeps its old keys.
    5. At most ``PROJECT_MEMBERS_MAX`` people are members, each once; they see it if it is private.
"""

import re
from typing import ClassVar, assert_never, get_args

from msgspec import Struct
from msgspec.structs import replace

from domain.base import ERASED, Event, NotFound, TeamId, UserId
from domain.work.project.errors import (
    ProjectIsArchived,
    ProjectKeyNotAllowed,
    ProjectOnHold,
    TooManyProjectMembers,
)
from domain.work.project.events import (
    ProjectAccessEvent,
    ProjectArchived,
    ProjectCreated,
    ProjectDeleted,
    ProjectDescribed,
    ProjectEvent,
    ProjectKeyChanged,
    ProjectLeadAssigned,
    ProjectMemberAdded,
    ProjectMemberRemoved,
    ProjectPurged,
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
from domain.work.workflow.events import WorkflowDefined
from domain.work.workflow.state import PRESETS, STANDARD, Workflow

PROJECT_KEY_PATTERN = r"^[A-Z][A-Z0-9]{1,9}$"
"""2-10 capital letters and digits, starting with a letter: short enough to say ``ENG-12`` aloud."""

PROJECT_MEMBERS_MAX = 500
"""All members of a project are folded into its state, and listed in one response."""

_KEY = re.compile(PROJECT_KEY_PATTERN)

PROJECT_TRANSITIONS: dict[ProjectStatus, tuple[ProjectStatus, ...]] = {
    ProjectStatus.ACTIVE: (ProjectStatus.ON_HOLD, ProjectStatus.ARCHIVED),
    ProjectStatus.ON_HOLD: (ProjectStatus.ACTIVE, ProjectStatus.ARCHIVED),
    ProjectStatus.ARCHIVED: (ProjectStatus.ACTIVE,),
}


class Project(Struct, frozen=True, kw_only=True, gc=False):
    """What the rules below need to know about a project."""

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = get_args(ProjectEvent)

    key: str = ""
    rekeyed: bool = False  # whether it ever had another key
    name: str = ""
    description: str | None = None
    workflow: Workflow = STANDARD
    lead_id: UserId | None = None
    team_id: TeamId | None = None
    visibility: Visibility = Visibility.ORGANIZATION
    members: tuple[UserId, ...] = ()
    status: ProjectStatus = ProjectStatus.ACTIVE
    created: bool = False
    deleted: bool = False
    purged: bool = False

    def evolve(self, event: ProjectEvent) -> "Project":
        match event:
            case ProjectCreated():
                return _created(event)
            case ProjectRenamed():
                return replace(self, name=event.to)
            case ProjectDescribed():
                return replace(self, description=event.description)
            case (
                ProjectLeadAssigned()
                | ProjectTeamLinked()
                | ProjectVisibilityChanged()
                | ProjectMemberAdded()
                | ProjectMemberRemoved()
            ):
                return _with_access(self, event)
            case ProjectKeyChanged():
                return replace(self, key=event.to, rekeyed=True)
            case ProjectPutOnHold():
                return replace(self, status=ProjectStatus.ON_HOLD)
            case ProjectResumed() | ProjectUnarchived():
                return replace(self, status=ProjectStatus.ACTIVE)
            case ProjectArchived():
                return replace(self, status=ProjectStatus.ARCHIVED)
            case ProjectDeleted():
                return replace(self, deleted=True)
            case ProjectRestored():
                return replace(self, deleted=False)
            case ProjectPurged():
                workflow = self.workflow.without_names()
                gone = replace(self, name=ERASED, description=None, workflow=workflow)
                return replace(gone, deleted=True, purged=True)
            case WorkflowDefined():
                return replace(self, workflow=self.workflow.evolve(event))
            case _:
                assert_never(event)

    # Decisions: each returns the events to record; an empty list means that nothing changes.

    def create(self, created: ProjectCreated) -> list[ProjectEvent]:
        """Create the project; a repeated call is a retry and records nothing."""
        _refuse_unless_key(created.key)
        return [] if self.created else [created]

    def rename(self, name: str) -> list[ProjectEvent]:
        self.refuse_unless_editable()
        return [] if name == self.name else [ProjectRenamed(from_=self.name, to=name)]

    def describe(self, description: str | None) -> list[ProjectEvent]:
        self.refuse_unless_editable()
        if description == self.description:
            return []
        return [ProjectDescribed(description=description)]

    def assign_lead(self, user_id: UserId | None) -> list[ProjectEvent]:
        self.refuse_unless_editable()
        return [] if user_id == self.lead_id else [ProjectLeadAssigned(user_id=user_id)]

    def link_team(self, team_id: TeamId | None) -> list[ProjectEvent]:
        self.refuse_unless_editable()
        return [] if team_id == self.team_id else [ProjectTeamLinked(team_id=team_id)]

    def show_to(self, to: Visibility) -> list[ProjectEvent]:
        """Make the project private, or visible to the whole organization."""
        self.refuse_unless_editable()
        if to is self.visibility:
            return []
        return [ProjectVisibilityChanged(from_=self.visibility, to=to)]

    def add_member(self, user_id: UserId) -> list[ProjectEvent]:
        self.refuse_unless_editable()
        if user_id in self.members:
            return []
        if len(self.members) >= PROJECT_MEMBERS_MAX:
            raise TooManyProjectMembers(limit=PROJECT_MEMBERS_MAX)
        return [ProjectMemberAdded(user_id=user_id)]

    def remove_member(self, user_id: UserId) -> list[ProjectEvent]:
        """End a membership; also of an archived project, because somebody may have to go."""
        self.refuse_unless_here()
        return [ProjectMemberRemoved(user_id=user_id)] if user_id in self.members else []

    def release_lead(self) -> list[ProjectEvent]:
        """End the lead; also of an archived project, because somebody has left."""
        self.refuse_unless_here()
        return [] if self.lead_id is None else [ProjectLeadAssigned(user_id=None)]

    def change_key(self, to: str) -> list[ProjectEvent]:
        """Give the project another key, or one that it had before."""
        self.refuse_unless_editable()
        if to == self.key:
            return []
        _refuse_unless_key(to)
        return [ProjectKeyChanged(from_=self.key, to=to)]

    def hold(self, reason: str | None = None) -> list[ProjectEvent]:
        return [ProjectPutOnHold(reason=reason)] if self._moves(ProjectStatus.ON_HOLD) else []

    def resume(self) -> list[ProjectEvent]:
        """Resume after a hold; an archived project needs ``unarchive``, which a plan may refuse."""
        self.refuse_unless_editable()
        return [ProjectResumed()] if self._moves(ProjectStatus.ACTIVE) else []

    def archive(self) -> list[ProjectEvent]:
        return [ProjectArchived()] if self._moves(ProjectStatus.ARCHIVED) else []

    def unarchive(self) -> list[ProjectEvent]:
        self.refuse_unless_here()
        if self.status is not ProjectStatus.ARCHIVED:
            return []
        return [ProjectUnarchived()] if self._moves(ProjectStatus.ACTIVE) else []

    def delete(self) -> list[ProjectEvent]:
        self.refuse_unless_here()
        return [ProjectDeleted()]

    def restore(self) -> list[ProjectEvent]:
        if not self.created or self.purged:
            raise NotFound
        return [ProjectRestored()] if self.deleted else []

    def refuse_unless_here(self) -> None:
        """Raise NotFound if the project was never created or is in the trash."""
        if not self.created or self.deleted:
            raise NotFound

    def refuse_unless_editable(self) -> None:
        """Refuse changes to the project or its tasks if it is deleted or archived."""
        self.refuse_unless_here()
        if self.status is ProjectStatus.ARCHIVED:
            raise ProjectIsArchived

    def refuse_unless_takes_tasks(self) -> None:
        """Refuse to create or start tasks if the project is deleted, archived or on hold."""
        self.refuse_unless_editable()
        if self.status is ProjectStatus.ON_HOLD:
            raise ProjectOnHold

    def _moves(self, to: ProjectStatus) -> bool:
        """Return whether *to* is a new status; an archived project can only be unarchived."""
        self.refuse_unless_here()
        if to is self.status:
            return False
        if to not in PROJECT_TRANSITIONS[self.status]:
            raise ProjectIsArchived
        return True


def _with_access(project: Project, event: ProjectAccessEvent) -> Project:
    match event:
        case ProjectLeadAssigned():
            return replace(project, lead_id=event.user_id)
        case ProjectTeamLinked():
            return replace(project, team_id=event.team_id)
        case ProjectVisibilityChanged():
            return replace(project, visibility=event.to)
        case ProjectMemberAdded():
            return replace(project, members=(*project.members, event.user_id))
        case ProjectMemberRemoved():
            members = tuple(m for m in project.members if m != event.user_id)
            return replace(project, members=members)
        case _:
            assert_never(event)


def _refuse_unless_key(key: str) -> None:
    if _KEY.fullmatch(key) is None:
        raise ProjectKeyNotAllowed


def _created(event: ProjectCreated) -> Project:
    return Project(
        key=event.key,
        name=event.name,
        description=event.description,
        workflow=PRESETS[event.workflow],
        lead_id=event.lead_id,
        team_id=event.team_id,
        visibility=event.visibility,
        members=(event.created_by,),
        created=True,
    )
