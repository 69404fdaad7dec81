"""Events of projects, labels and teams, and what takes back each of them."""

from domain.work import label, team
from domain.work.project import events as project
from tests.commands.acme import OPENED, TEAM
from tests.commands.undo.rows import (
    BUG,
    DEFINED,
    DEFINED_BACK,
    GEARS,
    LABEL,
    LEAD,
    MEMBER,
    OPEN,
    PRIVATE,
    TOGETHER,
    Row,
    of,
    of_project,
)
from tests.domain.spec import ANA, BEN, ENG
from tests.spec import on

PROJECT_ROWS: list[Row] = [
    of_project(then=project.ProjectDeleted()),
    of_project(
        project.ProjectRenamed(from_="Engine", to="Motor"),
        then=project.ProjectRenamed(from_="Motor", to="Engine"),
    ),
    of_project(
        project.ProjectDescribed(description="All"),
        then=project.ProjectDescribed(description=None),
    ),
    of_project(
        project.ProjectLeadAssigned(user_id=BEN), then=project.ProjectLeadAssigned(user_id=None)
    ),
    Row(
        on(ENG, OPENED, project.ProjectTeamLinked(team_id=GEARS)),
        (project.ProjectTeamLinked(team_id=None),),
        (TEAM, on(GEARS, TOGETHER)),
    ),
    of_project(
        project.ProjectVisibilityChanged(from_=OPEN, to=PRIVATE),
        then=project.ProjectVisibilityChanged(from_=PRIVATE, to=OPEN),
    ),
    of_project(
        project.ProjectKeyChanged(from_="ENG", to="MOT"),
        then=project.ProjectKeyChanged(from_="MOT", to="ENG"),
    ),
    of_project(
        project.ProjectMemberAdded(user_id=BEN), then=project.ProjectMemberRemoved(user_id=BEN)
    ),
    of_project(
        project.ProjectMemberRemoved(user_id=ANA), then=project.ProjectMemberAdded(user_id=ANA)
    ),
    of_project(project.ProjectPutOnHold(), then=project.ProjectResumed()),
    of_project(
        project.ProjectPutOnHold(), project.ProjectResumed(), then=project.ProjectPutOnHold()
    ),
    of_project(project.ProjectArchived(), then=project.ProjectUnarchived()),
    of_project(
        project.ProjectPutOnHold(),
        project.ProjectArchived(),
        then=(project.ProjectUnarchived(), project.ProjectPutOnHold()),
    ),
    of_project(
        project.ProjectArchived(), project.ProjectUnarchived(), then=project.ProjectArchived()
    ),
    of_project(project.ProjectDeleted(), then=project.ProjectRestored()),
    of_project(project.ProjectDeleted(), project.ProjectRestored(), then=project.ProjectDeleted()),
    of_project(DEFINED, then=DEFINED_BACK),
    of(BUG, LABEL, then=label.LabelDeleted(owner=ANA)),
    of(
        BUG,
        LABEL,
        label.LabelRenamed(from_="Bug", to="Defect"),
        then=label.LabelRenamed(from_="Defect", to="Bug"),
    ),
    of(
        BUG,
        LABEL,
        label.LabelRecolored(from_="#ff0000", to="#000000"),
        then=label.LabelRecolored(from_="#000000", to="#ff0000"),
    ),
    of(BUG, LABEL, label.LabelDeleted(owner=ANA), then=label.LabelRestored()),
    of(
        BUG,
        LABEL,
        label.LabelDeleted(owner=ANA),
        label.LabelRestored(),
        then=label.LabelDeleted(owner=ANA),
    ),
    of(GEARS, TOGETHER, then=team.TeamDeleted()),
    of(
        GEARS,
        TOGETHER,
        team.TeamRenamed(from_="Gears", to="Wheels"),
        then=team.TeamRenamed(from_="Wheels", to="Gears"),
    ),
    of(
        GEARS,
        TOGETHER,
        team.TeamMemberAdded(user_id=BEN, role=MEMBER),
        then=team.TeamMemberRemoved(user_id=BEN, cause=team.TeamLeaveCause.REMOVED),
    ),
    of(
        GEARS,
        TOGETHER,
        team.TeamMemberAdded(user_id=BEN, role=MEMBER),
        team.TeamRoleChanged(user_id=BEN, from_=MEMBER, to=LEAD),
        then=team.TeamRoleChanged(user_id=BEN, from_=LEAD, to=MEMBER),
    ),
    of(
        GEARS,
        TOGETHER,
        team.TeamMemberAdded(user_id=BEN, role=LEAD),
        team.TeamMemberRemoved(user_id=BEN, cause=team.TeamLeaveCause.LEFT),
        then=team.TeamMemberAdded(user_id=BEN, role=LEAD),
    ),
    of(GEARS, TOGETHER, team.TeamDeleted(), then=team.TeamRestored()),
    of(GEARS, TOGETHER, team.TeamDeleted(), team.TeamRestored(), then=team.TeamDeleted()),
]
