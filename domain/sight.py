"""Sight: who sees a project, decided by one function wherever that matters.

A PRIVATE project does not exist for anybody else: not by its id or key, in no list, count, event,
reply or webhook. Commands ask ``commands/sight.py``, which reads what this depends on.
"""

from domain.base import UserId
from domain.identity.organization.membership import Role
from domain.work.project.events import Visibility
from domain.work.project.state import Project
from domain.work.team import Team


def sees(project: Project, user_id: UserId, role: Role | None, team: Team | None) -> bool:
    """Return whether somebody with *role* in the organization sees *project*.

    *team* is the team that the project is linked to, if any. Whoever is no active member of the
    organization has no role and sees nothing.
    """
    if role is None:
        return False
    return (
        project.visibility is not Visibility.PRIVATE
        or role is Role.ADMIN
        or user_id == project.lead_id
        or user_id in project.members
        or (team is not None and team.has(user_id))
    )
