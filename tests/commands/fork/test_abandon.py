"""Stories of giving up a fork that was never finished."""

from uuid import UUID

import pytest

from commands.fork.abandon import AbandonFork, ForkAbandoned, ForkIsWhole
from commands.fork.beginning import unfinished_forks, where_to_begin
from commands.fork.copying import ForkCopy
from commands.fork.finish import ForkOrganization
from commands.fork.new_ids import NewIds
from commands.fork.progress import ForkProgress
from commands.fork.survey import Survey
from commands.handler import CommandHandler
from commands.lint.walk import lint_log
from domain.audit import LogForkAbandoned, trail_of_fork
from domain.base import ERASED, OrgId
from domain.identity.organization.events import (
    OrganizationCreated,
    OrganizationDeleted,
    OrganizationPurged,
)
from domain.identity.organization.forked import OrganizationForked
from domain.identity.plan import Plan
from eventstore.append import ConcurrencyConflict
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from tests.commands.acme import ACCOUNTS, HERE
from tests.commands.fork.forked import fork_of
from tests.domain.acme import TEAM
from tests.domain.spec import ACME, NOW
from tests.spec import context, given, on, opened, record

COPY = OrgId(UUID(int=0xF02C))
CREATED = OrganizationCreated(name=ERASED, subdomain=f"fork-{COPY}", plan=Plan.FREE)
NOTED = on(trail_of_fork(ACME, COPY), LogForkAbandoned(organization_id=COPY, at=7))
abandon = AbandonFork(organization_id=COPY, original=ACME, at=7)


def test_it_becomes_an_organization_that_is_purged_at_once() -> None:
    given(*ACCOUNTS, *HERE).when(abandon, org_id=None).then(
        on(COPY, CREATED, OrganizationDeleted(), OrganizationPurged(), org_id=COPY), NOTED
    )


def test_it_is_given_up_once() -> None:
    gone = on(COPY, CREATED, OrganizationDeleted(), OrganizationPurged(), org_id=COPY)
    given(*ACCOUNTS, *HERE, gone).when(abandon, org_id=None).then()


def test_what_is_whole_is_deleted_like_any_organization() -> None:
    whole = on(COPY, CREATED, org_id=COPY)
    given(*ACCOUNTS, *HERE, whole).when(abandon, org_id=None).then_refused(ForkIsWhole)


def test_what_was_given_up_is_not_finished() -> None:
    gone = on(COPY, CREATED, OrganizationDeleted(), OrganizationPurged(), org_id=COPY)
    forked = OrganizationForked(from_organization=ACME, at=7, recorded_at=NOW)
    fork = ForkOrganization(
        organization_id=COPY,
        name="X",
        subdomain="copy",
        forked=forked,
        was=TEAM,
        accounts=frozenset(),
    )
    given(*ACCOUNTS, *HERE, gone).when(fork, org_id=None).then_refused(ForkAbandoned)


async def test_a_run_that_goes_on_meanwhile_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commands.fork.survey.COPIED_AT_ONCE", 1)
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        copy = await _begun(log)
        while not copy.progress.copied:
            assert await copy.copy_some()
        fork = (await where_to_begin(log, ACME, "acme-copy")).fork
        assert [each async for each in unfinished_forks(log)] == [(fork, copy.progress)]

        again = AbandonFork(organization_id=fork, original=ACME, at=copy.progress.at)
        await CommandHandler(log).handle(again, context(org_id=None))

        with pytest.raises(ConcurrencyConflict):
            await copy.copy_some()
        assert [each async for each in unfinished_forks(log)] == []
        beginning = await where_to_begin(log, ACME, "acme-copy")
        assert (beginning.fork != fork, beginning.progress) == (True, None)
        ids = await fork_of(log, ACME, "acme-copy")
        assert (await where_to_begin(log, ACME, "acme-copy")).fork not in {fork, ids.fork}
        assert [str(each) async for each in lint_log(log)] == []


async def _begun(log: EventLog) -> ForkCopy:
    """Return a fork, with what may be copied surveyed."""
    at = await log.organization_head(ACME)
    fork, _ = await where_to_begin(log, ACME, "acme-copy")
    survey = Survey(log, NewIds(ACME, fork), at)
    await survey.read()
    return ForkCopy(log, survey, ForkProgress(organization=ACME, at=at))
