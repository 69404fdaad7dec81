"""Who sees private projects in a fork."""

import pytest

from commands.handler import CommandHandler
from commands.lint.walk import lint_log
from commands.sight import hidden_projects
from commands.work.task_move import MoveTask
from domain.base import OrgId, UserId
from domain.identity.organization.membership import LeaveCause, MemberJoined, MemberLeft, Role
from domain.work.project.events import (
    ProjectArchived,
    ProjectCreated,
    ProjectDeleted,
    ProjectEvent,
    ProjectMemberAdded,
    ProjectMemberRemoved,
    ProjectRestored,
    ProjectUnarchived,
    ProjectVisibilityChanged,
    Visibility,
)
from domain.work.project.state import Project
from domain.work.team import (
    Team,
    TeamCreated,
    TeamDeleted,
    TeamLeaveCause,
    TeamMemberAdded,
    TeamMemberRemoved,
    TeamRestored,
    TeamRole,
    TeamRoleChanged,
)
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from tests.commands.acme import ACCOUNTS, HERE, OPS
from tests.commands.fork.forked import fork_of
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, ENG, GEARS, TASK
from tests.spec import context, on, opened, record

SECRET = on(
    OPS,
    ProjectCreated(key="OPS", name="Secret", created_by=ANA, visibility=Visibility.PRIVATE),
    ProjectMemberAdded(user_id=BEN),
)


async def hidden(log: EventLog, org_id: OrgId) -> list[int]:
    """Return how many projects Ana, Ben and Cleo do not see."""
    handler = CommandHandler(log)
    people: tuple[UserId, ...] = (ANA, BEN, CLEO)
    return [len(await hidden_projects(log, handler.states, org_id, each)) for each in people]


async def test_whoever_lost_sight_of_a_project_does_not_see_it() -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE, SECRET)
        at = await log.organization_head(ACME)
        assert await hidden(log, ACME) == [0, 0, 1]
        await record(log, on(OPS, ProjectMemberRemoved(user_id=BEN)))

        ids = await fork_of(log, ACME, "acme-copy", at)

        assert await hidden(log, ids.fork) == [0, 1, 1]
        assert [str(each) async for each in lint_log(log)] == []


@pytest.mark.parametrize("place", [ProjectDeleted(), ProjectArchived()], ids=["trash", "archive"])
@pytest.mark.parametrize("was", [Visibility.PRIVATE, Visibility.ORGANIZATION])
async def test_nobody_sees_more_in_the_trash_or_the_archive(
    place: ProjectEvent, was: Visibility
) -> None:
    back = ProjectRestored() if isinstance(place, ProjectDeleted) else ProjectUnarchived()
    made = ProjectCreated(key="OPS", name="Secret", created_by=ANA, visibility=was)
    hide = ProjectVisibilityChanged(from_=was, to=Visibility.PRIVATE)
    async with opened(MemoryStore()) as log:
        members = (ProjectMemberAdded(user_id=BEN), ProjectMemberAdded(user_id=CLEO))
        await record(log, *ACCOUNTS, *HERE, on(OPS, made, *members, place))
        at = await log.organization_head(ACME)
        hiding = () if was is Visibility.PRIVATE else (hide,)
        await record(log, on(OPS, back, *hiding, ProjectMemberRemoved(user_id=BEN)))

        ids = await fork_of(log, ACME, "acme-copy", at)

        assert await hidden(log, ids.fork) == [0, 1, 0]
        assert [str(each) async for each in lint_log(log)] == []


async def test_whoever_left_a_team_that_was_in_the_trash_is_not_in_it() -> None:
    made = TeamCreated(name="Crew", created_by=ANA)
    added = [TeamMemberAdded(user_id=each, role=TeamRole.LEAD) for each in (BEN, CLEO)]
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE, on(GEARS, made, *added, TeamDeleted()))
        at = await log.organization_head(ACME)
        removed = TeamMemberRemoved(user_id=BEN, cause=TeamLeaveCause.REMOVED)
        lower = TeamRoleChanged(user_id=CLEO, from_=TeamRole.LEAD, to=TeamRole.MEMBER)
        await record(log, on(GEARS, TeamRestored(), removed, lower))

        ids = await fork_of(log, ACME, "acme-copy", at)

        team = await CommandHandler(log).states.fresh(Team, ids.of(GEARS), ids.fork)
        assert (team.deleted, dict(team.members)) == (True, {CLEO: TeamRole.MEMBER})
        assert [str(each) async for each in lint_log(log)] == []


async def test_whoever_has_left_is_no_member_of_a_project() -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE, SECRET)
        at = await log.organization_head(ACME)
        await record(log, on(ACME, MemberLeft(user_id=BEN, cause=LeaveCause.LEFT)))

        ids = await fork_of(log, ACME, "acme-copy", at)

        project = await CommandHandler(log).states.fresh(Project, ids.of(OPS), ids.fork)
        assert project.members == (ANA,)
        assert [str(each) async for each in lint_log(log)] == []


async def test_a_project_that_is_not_copied_hides_nothing() -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        at = await log.organization_head(ACME)
        await record(log, SECRET)

        ids = await fork_of(log, ACME, "acme-copy", at)

        assert await hidden(log, ids.fork) == [0, 0, 0]


async def test_where_a_task_was_is_for_members_of_that_time_who_see_where_it_is() -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        at = await log.organization_head(ACME)
        joined = MemberJoined(user_id=DAN, role=Role.MEMBER)
        await record(log, on(ACME, joined), SECRET, on(OPS, ProjectMemberAdded(user_id=DAN)))
        move = MoveTask(task_id=TASK, project_id=OPS)
        await CommandHandler(log).handle(move, context())

        ids = await fork_of(log, ACME, "acme-copy", at)

        assert await hidden(log, ids.fork) == [0, 0, 1]
        states = CommandHandler(log).states
        project = await states.fresh(Project, ids.of(ENG), ids.fork)
        assert DAN not in project.members
        assert [str(each) async for each in lint_log(log)] == []
