"""Showing a project of a fork to nobody who does not see it in the original any more.

A team of a fork has nobody who is not in that of the original any more, and no other LEADs.

Invariants of projects
    1. Of those who saw it, whoever may still see it does, as long as it has room for members.
    2. Nobody sees it who did not.
"""

from collections.abc import Callable, Iterable

from domain.base import UserId
from domain.work.project.events import (
    ProjectEvent,
    ProjectLeadAssigned,
    ProjectMemberAdded,
    ProjectMemberRemoved,
    ProjectTeamLinked,
    ProjectVisibilityChanged,
    Visibility,
)
from domain.work.project.state import PROJECT_MEMBERS_MAX, Project
from domain.work.team import (
    Team,
    TeamEvent,
    TeamLeaveCause,
    TeamMemberRemoved,
    TeamRole,
    TeamRoleChanged,
)


def shown_to_fewer(
    project: Project,
    team: Team | None,
    others: Iterable[UserId],
    may_see: Callable[[UserId], bool],
    has_left: Callable[[UserId], bool],
) -> list[ProjectEvent]:
    """Return what shows a project, of *team*, only to people who *may_see* it.

    *others* are those who may become members of it, if all saw it. Of the team, whoever *has_left*
    the organization goes anyway.
    """
    keeps_team = team is None or all(may_see(each) or has_left(each) for each in team.members)
    events: list[ProjectEvent] = []
    saw: list[UserId] = [] if keeps_team or team is None or team.deleted else list(team.members)
    if project.visibility is not Visibility.PRIVATE:
        to = Visibility.PRIVATE
        events.append(ProjectVisibilityChanged(from_=project.visibility, to=to))
        saw += others
    if project.lead_id is not None and not may_see(project.lead_id):
        events.append(ProjectLeadAssigned(user_id=None))
    if not keeps_team:
        events.append(ProjectTeamLinked(team_id=None))
    gone = [each for each in project.members if not may_see(each)]
    events += [ProjectMemberRemoved(user_id=each) for each in gone]
    room = PROJECT_MEMBERS_MAX - len(project.members) + len(gone)
    added = [each for each in dict.fromkeys(saw) if each not in project.members and may_see(each)]
    events += [ProjectMemberAdded(user_id=each) for each in added[: max(room, 0)]]
    return events


def kept_by(then: Team, now: Team) -> list[TeamEvent]:
    """Return what leaves a team with those of its members *then* who are in it *now*.

    Of two roles they have the lower.
    """
    events: list[TeamEvent] = []
    for user_id, role in then.members.items():
        today = now.members.get(user_id)
        if today is None:
            removed = TeamMemberRemoved(user_id=user_id, cause=TeamLeaveCause.REMOVED)
            events.append(removed)
        elif role is TeamRole.LEAD and today is TeamRole.MEMBER:
            events.append(TeamRoleChanged(user_id=user_id, from_=role, to=today))
    return sorted(events, key=lambda each: each.field_keys())
