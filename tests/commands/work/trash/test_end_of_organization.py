"""Stories of an organization that has been in the trash for as long as its plan keeps it."""

from datetime import timedelta

import pytest

from commands.handler import CommandHandler
from commands.identity.api_key import PurgeApiKeys
from commands.identity.organization import (
    CreateOrganization,
    PurgeOrganization,
    RestoreOrganization,
)
from commands.lint.walk import lint_log
from commands.work.trash.purge import PurgeOfOrganization
from commands.work.trash.things import Thing
from domain.base import ApiKeyId, NotFound, OrgId
from domain.claim import SubdomainTaken
from domain.identity.api_key.events import ApiKeyPurged, ApiKeyRevoked
from domain.identity.organization.events import (
    OrganizationDeleted,
    OrganizationPurged,
    OrganizationRestored,
    PlanChanged,
)
from domain.identity.organization.legal_hold import LegalHold
from domain.identity.organization.membership import InvitationRevoked
from domain.identity.plan import PLAN_LIMITS, Plan
from domain.work.project.events import ProjectPurged
from domain.work.trash import TrashKind
from eventstore.identifiers import new_id
from eventstore.log import EventLog
from tests.commands.acme import ACCOUNTS, HERE
from tests.commands.identity.test_api_key import CREATED, KEY
from tests.commands.work.trash.cases import CASES, HELD, LATER, Case
from tests.domain.acme import invitation
from tests.domain.spec import ACME, ANA, DAN, DAY, ENG, INVITATION, NOW
from tests.spec import context, given, on, record

DELETED = on(ACME, OrganizationDeleted())
ENDED = on(ACME, OrganizationPurged())
purge = PurgeOrganization(organization_id=ACME)
WHOLE = [
    case
    for case in CASES
    if case.thing.kind in ("project", "label", "team", "webhook", "view", "template")
]


class TestPurgeOrganization:
    def test_it_ends_once_its_time_has_come_and_invites_nobody_any_more(self) -> None:
        past = (*HERE, on(ACME, invitation()), DELETED)
        given(*past).when(purge, now=LATER - timedelta(seconds=1)).then()
        given(*past).when(purge, now=LATER).then(
            on(ACME, InvitationRevoked(invitation_id=INVITATION), OrganizationPurged())
        )
        given(*past, ENDED).when(purge, now=LATER).then_refused(NotFound)

    def test_one_that_is_here_or_restored_stays(self) -> None:
        given(*HERE).when(purge, now=LATER).then_refused(NotFound)
        restored = on(ACME, OrganizationRestored())
        given(*HERE, DELETED, restored).when(purge, now=LATER).then_refused(NotFound)

    def test_a_larger_plan_keeps_it_longer_and_a_hold_for_ever(self) -> None:
        larger = on(ACME, PlanChanged(from_=Plan.FREE, to=Plan.BASIC))
        kept = PLAN_LIMITS[Plan.BASIC].trash_retention
        given(*HERE, larger, DELETED).when(purge, now=LATER).then()
        given(*HERE, larger, DELETED).when(purge, now=NOW + kept).then(OrganizationPurged())
        given(*HERE, HELD, DELETED).when(purge, now=NOW + 1_000 * DAY).then_refused(LegalHold)

    def test_nobody_brings_it_back(self) -> None:
        asked = RestoreOrganization(organization_id=ACME)
        given(*ACCOUNTS, *HERE, DELETED, ENDED).when(asked).then_refused(NotFound)

    async def test_its_subdomain_is_free_its_name_is_gone_and_the_log_agrees(
        self, log: EventLog, handler: CommandHandler
    ) -> None:
        await record(log, *ACCOUNTS, on(ACME, invitation()), DELETED)
        other = OrgId(new_id())
        again = CreateOrganization(organization_id=other, name="New", subdomain="acme")
        by_dan = context(DAN, org_id=None, now=LATER)
        with pytest.raises(SubdomainTaken):
            await handler.handle(again, by_dan)

        await handler.handle(purge, context(now=LATER))
        await handler.handle(again, by_dan)

        assert "Acme" not in repr(await log.stream(ACME, ACME))
        assert [str(found) async for found in lint_log(log)] == []


class TestWhatGoesWithIt:
    @pytest.mark.parametrize("case", WHOLE, ids=lambda case: case.thing.kind)
    @pytest.mark.parametrize("trashed", [True, False])
    def test_whatever_it_has_is_purged_in_the_trash_or_not(self, case: Case, trashed: bool) -> None:
        thing, made, gone, purged = case
        past = () if made is None else (on(thing.id, made),)
        past = (*past, on(thing.id, gone)) if trashed else past
        asked = PurgeOfOrganization(things=(thing,))
        given(*HERE, *past, DELETED, ENDED).when(asked).then(on(thing.id, purged))
        given(*HERE, *past, DELETED, ENDED, on(thing.id, purged)).when(asked).then()
        given(*HERE, *past, DELETED).when(asked).then_refused(NotFound)

    def test_keys_that_work_and_those_that_do_not_are_purged(self) -> None:
        asked = PurgeApiKeys(keys=(ApiKeyId(KEY),))
        for past in ((), (on(KEY, ApiKeyRevoked()),)):
            here = (*HERE, on(KEY, CREATED), *past)
            given(*here, DELETED, ENDED).when(asked).then(on(KEY, ApiKeyPurged()))
            given(*here, DELETED, ENDED, on(KEY, ApiKeyPurged())).when(asked).then()
            given(*here, DELETED).when(asked).then_refused(NotFound)

    async def test_the_log_agrees_with_what_is_gone(
        self, log: EventLog, handler: CommandHandler
    ) -> None:
        await record(log, *ACCOUNTS, on(KEY, CREATED), DELETED)
        await handler.handle(purge, context(now=LATER))
        things = (Thing(TrashKind.PROJECT, ENG),)
        await handler.handle(PurgeOfOrganization(things=things), context(ANA, now=LATER))
        await handler.handle(PurgeApiKeys(keys=(ApiKeyId(KEY),)), context(ANA, now=LATER))

        assert isinstance((await log.stream(ENG, ACME))[-1].event, ProjectPurged)
        assert [str(found) async for found in lint_log(log)] == []
