"""What takes back each event of projects, labels and teams."""

from collections.abc import Iterable, Iterator

from commands.base import Command
from commands.undo.changed import (
    NOT_BROUGHT_BACK,
    Answer,
    Changed,
    Inverse,
    belonging,
    refuse_unless_unchanged,
    setting,
    trashing,
)
from commands.work.label import DeleteLabel, EditLabel, RestoreLabel
from commands.work.project import (
    ArchiveProject,
    DeleteProject,
    EditProject,
    HoldProject,
    RestoreProject,
    ResumeProject,
    UnarchiveProject,
)
from commands.work.project_member import AddProjectMember, RemoveProjectMember
from commands.work.team import (
    AddTeamMember,
    ChangeTeamRole,
    DeleteTeam,
    RemoveTeamMember,
    RenameTeam,
    RestoreTeam,
)
from commands.work.workflow import DefineWorkflow
from domain.base import Event
from domain.work.label import (
    LabelCreated,
    LabelDeleted,
    LabelPurged,
    LabelRecolored,
    LabelRenamed,
    LabelRestored,
)
from domain.work.project.events import (
    ProjectArchived,
    ProjectCreated,
    ProjectDeleted,
    ProjectDescribed,
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
)
from domain.work.team import (
    TeamCreated,
    TeamDeleted,
    TeamMemberAdded,
    TeamMemberRemoved,
    TeamPurged,
    TeamRenamed,
    TeamRestored,
    TeamRoleChanged,
)
from domain.work.workflow.events import WorkflowDefined


def _project(name: str) -> Answer:
    return (setting(EditProject, "project_id", name),)


def _in_status(changed: Changed) -> Iterator[Command]:
    """Yield what leads a project back to its status; from the archive, past being active."""
    project_id, was = changed.stream, changed.earlier("status").get("status")
    if was is None:
        return
    if changed.now.status is ProjectStatus.ARCHIVED:
        yield UnarchiveProject(project_id=project_id)
    elif was is ProjectStatus.ACTIVE:
        yield ResumeProject(project_id=project_id)
    if was is ProjectStatus.ON_HOLD:
        yield HoldProject(project_id=project_id)
    elif was is ProjectStatus.ARCHIVED:
        yield ArchiveProject(project_id=project_id)


_STATUS: Answer = (Inverse("status", _in_status),)


def _workflow(changed: Changed) -> Iterable[Command]:
    """Return what defines the earlier workflow; it is refused if tasks are in what it lacks."""
    was, given, now = (
        (each.workflow.statuses, each.workflow.transitions)
        for each in (changed.before, changed.after, changed.now)
    )
    if now == was:
        return []
    refuse_unless_unchanged(was, given, now)
    project_id, (statuses, transitions) = changed.stream, was
    return [DefineWorkflow(project_id=project_id, statuses=statuses, transitions=transitions)]


def _team_member(changed: Changed) -> Iterable[Command]:
    """Return what gives somebody the role in a team that they had, or none."""
    team_id, user_id = changed.stream, changed.event.user_id
    was, given, now = (
        each.members.get(user_id) for each in (changed.before, changed.after, changed.now)
    )
    if was in (given, now):
        return []
    refuse_unless_unchanged(was, given, now)
    if was is None:
        return [RemoveTeamMember(team_id=team_id, user_id=user_id)]
    if now is None:
        return [AddTeamMember(team_id=team_id, user_id=user_id, role=was)]
    return [ChangeTeamRole(team_id=team_id, user_id=user_id, role=was)]


_MEMBER_OUT, _MEMBER_BACK = belonging(
    "members",
    "user_id",
    lambda changed, user_id: AddProjectMember(project_id=changed.stream, user_id=user_id),
    lambda changed, user_id: RemoveProjectMember(project_id=changed.stream, user_id=user_id),
)
_PROJECT_AWAY, _PROJECT_BACK = trashing(
    lambda changed: DeleteProject(project_id=changed.stream),
    lambda changed: RestoreProject(project_id=changed.stream),
)
_LABEL_AWAY, _LABEL_BACK = trashing(
    lambda changed: DeleteLabel(label_id=changed.stream),
    lambda changed: RestoreLabel(label_id=changed.stream),
)
_TEAM_AWAY, _TEAM_BACK = trashing(
    lambda changed: DeleteTeam(team_id=changed.stream),
    lambda changed: RestoreTeam(team_id=changed.stream),
)
_TEAM_MEMBER: Answer = (Inverse("members", _team_member),)

OF_PROJECTS: dict[type[Event], Answer] = {
    ProjectCreated: _PROJECT_AWAY,
    ProjectRenamed: _project("name"),
    ProjectDescribed: _project("description"),
    ProjectLeadAssigned: _project("lead_id"),
    ProjectTeamLinked: _project("team_id"),
    ProjectVisibilityChanged: _project("visibility"),
    ProjectKeyChanged: _project("key"),
    ProjectMemberAdded: _MEMBER_OUT,
    ProjectMemberRemoved: _MEMBER_BACK,
    ProjectPutOnHold: _STATUS,
    ProjectResumed: _STATUS,
    ProjectArchived: _STATUS,
    ProjectUnarchived: _STATUS,
    ProjectDeleted: _PROJECT_BACK,
    ProjectRestored: _PROJECT_AWAY,
    ProjectPurged: NOT_BROUGHT_BACK,
    WorkflowDefined: (Inverse("workflow", _workflow),),
    LabelCreated: _LABEL_AWAY,
    LabelRenamed: (setting(EditLabel, "label_id", "name"),),
    LabelRecolored: (setting(EditLabel, "label_id", "color"),),
    LabelDeleted: _LABEL_BACK,
    LabelRestored: _LABEL_AWAY,
    LabelPurged: NOT_BROUGHT_BACK,
    TeamCreated: _TEAM_AWAY,
    TeamRenamed: (setting(RenameTeam, "team_id", "name"),),
    TeamMemberAdded: _TEAM_MEMBER,
    TeamRoleChanged: _TEAM_MEMBER,
    TeamMemberRemoved: _TEAM_MEMBER,
    TeamDeleted: _TEAM_BACK,
    TeamRestored: _TEAM_AWAY,
    TeamPurged: NOT_BROUGHT_BACK,
}
"""What takes back each event of projects, labels and teams."""
