"""The check of a whole log reports no plan that keeps the rules; Acme is there already."""

from commands.lint.walk import lint_log
from domain.work.project.events import ProjectLeadAssigned, ProjectMemberAdded
from domain.work.task.events import TaskAssigned
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from domain.work.team import TeamMemberAdded, TeamRole
from eventstore.log import EventLog
from tests.commands.lint.forged_plans import sized
from tests.commands.planning.plans import BETA, ONE, cycle, milestone
from tests.commands.planning.repeating import FOLLOWED, SET
from tests.commands.undo.rows import FIELD, GEARS, SIZE, TOGETHER
from tests.domain.spec import BEN, ENG, TASK
from tests.spec import on, record

PLANS = (
    on(SIZE, FIELD),
    on(ONE, cycle()),
    on(BETA, milestone()),
    on(GEARS, TOGETHER, TeamMemberAdded(user_id=BEN, role=TeamRole.LEAD)),
    on(ENG, ProjectMemberAdded(user_id=BEN), ProjectLeadAssigned(user_id=BEN)),
    on(ENG, ProjectLeadAssigned(user_id=None)),
    on(TASK, TaskCycleChanged(from_=None, to=ONE), TaskCycleChanged(from_=ONE, to=None)),
    on(TASK, TaskMilestoneChanged(from_=None, to=BETA), sized("s"), sized(None)),
    on(TASK, TaskAssigned(user_id=BEN), SET),
    *FOLLOWED,
)


async def test_plans_that_keep_the_rules_are_not_reported(log: EventLog) -> None:
    for one in PLANS:
        await record(log, one)
    assert [str(finding) async for finding in lint_log(log)] == []
