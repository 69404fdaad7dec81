"""Makes forks of what other tests have recorded, which then keep every rule."""

from commands.base import Context
from commands.claims.recurrence import due_claim
from commands.fork.beginning import organization_at, where_to_begin
from commands.fork.copying import ForkCopy
from commands.fork.finish import ForkOrganization, active_accounts
from commands.fork.new_ids import NewIds
from commands.fork.progress import ForkProgress
from commands.fork.survey import Survey
from commands.handler import CommandHandler
from domain.base import PLATFORM, OrgId
from domain.identity.organization.forked import OrganizationForked
from domain.identity.organization.state import Organization
from domain.work.task.state import Task
from eventstore.claim import ClaimChange
from eventstore.log import EventLog
from eventstore.recorded import Actor, ActorKind
from tests.domain.spec import NOW


async def fork_of(log: EventLog, org_id: OrgId, subdomain: str, at: int = 0) -> NewIds:
    """Make a fork of an organization as it was at an event, by default the newest."""
    at = at or await log.organization_head(org_id)
    fork, _ = await where_to_begin(log, org_id, subdomain)
    survey = Survey(log, NewIds(org_id, fork), at)
    await survey.read()
    copy = ForkCopy(log, survey, ForkProgress(organization=org_id, at=at))
    while await copy.copy_some():
        pass
    was = await organization_at(log, org_id, at)
    await copy.narrow(was.members, NOW)
    handler = CommandHandler(log)
    due: list[ClaimChange] = []
    for task_id in map(survey.ids.of, survey.repeating):
        claim = due_claim(fork, task_id, await handler.states.fresh(Task, task_id, fork))
        due += [] if claim is None else [ClaimChange(claim, task_id)]
    now = await handler.states.fresh(Organization, org_id, org_id)
    accounts = await active_accounts(handler.states, now.members)
    command = ForkOrganization(
        organization_id=fork,
        name="Fork",
        subdomain=subdomain,
        forked=OrganizationForked(from_organization=org_id, at=at, recorded_at=NOW),
        was=was,
        accounts=accounts,
        due=tuple(due),
    )
    await handler.handle(command, Context(actor=Actor(ActorKind.SYSTEM, PLATFORM), now=NOW))
    return survey.ids
