"""What a plan limits, after it was changed to a smaller one."""

import pytest

from commands.handler import CommandHandler
from commands.identity.organization import ChangePlan
from commands.work.project import ArchiveProject, CreateProject
from commands.work.team import CreateTeam
from domain.base import ProjectId, TeamId
from domain.identity.plan import PLAN_LIMITS, Plan, PlanLimitReached
from eventstore.identifiers import new_id
from eventstore.log import EventLog
from tests.commands.acme import ACCOUNTS
from tests.domain.spec import ACME, BEN
from tests.spec import context, record

LIMIT = PLAN_LIMITS[Plan.FREE].projects or 0
OVER = LIMIT + 2


def new_project(number: int) -> CreateProject:
    return CreateProject(project_id=ProjectId(new_id()), key=f"P{number}", name="Project")


@pytest.fixture
async def projects(log: EventLog, handler: CommandHandler) -> list[ProjectId]:
    """Let Acme go down to FREE with more projects than that allows; return the new ones."""
    await record(log, *ACCOUNTS)
    await handler.handle(ChangePlan(organization_id=ACME, plan=Plan.PREMIUM), context())
    creating = [new_project(number) for number in range(OVER - 1)]  # there is one already
    for command in creating:
        await handler.handle(command, context())
    await handler.handle(ChangePlan(organization_id=ACME, plan=Plan.FREE), context())
    return [command.project_id for command in creating]


async def test_what_is_over_can_go_and_nothing_can_come_until_there_is_room(
    handler: CommandHandler, projects: list[ProjectId]
) -> None:
    used: list[int] = []
    while True:
        try:
            await handler.handle(new_project(50), context())
            break
        except PlanLimitReached as refused:
            used.append(refused.details["used"])
        await handler.handle(ArchiveProject(project_id=projects.pop()), context())

    assert used == [OVER, OVER - 1, LIMIT]


@pytest.mark.usefixtures("projects")
async def test_only_who_sees_everything_learns_how_many_there_are(handler: CommandHandler) -> None:
    with pytest.raises(PlanLimitReached) as ana:
        await handler.handle(new_project(50), context())
    with pytest.raises(PlanLimitReached) as ben:
        await handler.handle(new_project(50), context(BEN))

    assert [ana.value.details["used"], ben.value.details["used"]] == [OVER, LIMIT]


async def test_how_many_there_are_of_what_is_never_hidden_is_told_to_everybody(
    log: EventLog, handler: CommandHandler
) -> None:
    await record(log, *ACCOUNTS)
    await handler.handle(ChangePlan(organization_id=ACME, plan=Plan.PREMIUM), context())
    over = (PLAN_LIMITS[Plan.FREE].teams or 0) + 2
    for number in range(over):
        team = CreateTeam(team_id=TeamId(new_id()), name=f"Team {number}")
        await handler.handle(team, context(BEN))
    await handler.handle(ChangePlan(organization_id=ACME, plan=Plan.FREE), context())

    one_more = CreateTeam(team_id=TeamId(new_id()), name="One more")
    with pytest.raises(PlanLimitReached) as refused:
        await handler.handle(one_more, context(BEN))

    assert refused.value.details["used"] == over
