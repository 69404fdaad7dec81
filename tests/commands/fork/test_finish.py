"""Stories of the last step of a fork."""

from uuid import UUID

from msgspec.structs import replace

from commands.claims.recurrence import REPEATS
from commands.fork.finish import ForkOrganization, ReadInboxesOfFork, active_accounts
from commands.handler import CommandHandler
from domain.audit import LogForked, trail_of_fork
from domain.base import PLATFORM, NotFound, OrgId, UserId
from domain.claim import SubdomainTaken
from domain.identity.organization.events import (
    OrganizationCreated,
    OrganizationDeleted,
    OrganizationPurged,
    PlanChanged,
)
from domain.identity.organization.forked import OrganizationForked
from domain.identity.organization.legal_hold import LegalHoldPlaced
from domain.identity.organization.membership import (
    LastAdmin,
    LeaveCause,
    MemberDeactivated,
    MemberJoined,
    MemberLeft,
    Role,
)
from domain.identity.organization.settings import LoginWay, OrganizationSettings, SettingsChanged
from domain.identity.plan import Plan
from domain.identity.subdomain import SubdomainNotAllowed
from domain.identity.user.events import UserDeactivated
from domain.planning.inbox import InboxRead, stream_of_inbox
from eventstore.claim import ClaimChange, ClaimKey
from eventstore.memory import MemoryStore
from tests.commands.acme import ACCOUNTS, HERE
from tests.domain.acme import TEAM
from tests.domain.spec import ACME, ANA, BEN, CLEO, NOW
from tests.spec import given, on, opened, record

COPY = OrgId(UUID(int=0xF02C))
AT = OrganizationForked(from_organization=ACME, at=7, recorded_at=NOW)
DUE = ClaimChange(ClaimKey(PLATFORM, REPEATS, PLATFORM, b"due"), UUID(int=1))
fork = ForkOrganization(
    organization_id=COPY,
    name="Acme",
    subdomain="acme-copy",
    forked=AT,
    was=TEAM,
    accounts=frozenset({ANA, BEN, CLEO}),
    due=(DUE,),
)
CREATED = OrganizationCreated(name="Acme", subdomain="acme-copy", plan=Plan.PREMIUM)
SMALLER = PlanChanged(from_=Plan.PREMIUM, to=Plan.FREE)
NOTED = on(trail_of_fork(ACME, COPY), LogForked(organization_id=COPY, at=7))


def joined(user_id: UserId, role: Role) -> MemberJoined:
    return MemberJoined(user_id=user_id, role=role)


class TestForkOrganization:
    def test_all_members_belong_to_the_fork(self) -> None:
        given(*ACCOUNTS, *HERE).when(fork, org_id=None).then(
            on(
                COPY,
                CREATED,
                joined(ANA, Role.ADMIN),
                joined(BEN, Role.MANAGER),
                joined(CLEO, Role.MEMBER),
                SMALLER,
                AT,
                org_id=COPY,
            ),
            NOTED,
        )

    def test_it_has_the_hold_that_there_was_and_requires_what_is_required_now(self) -> None:
        settings = OrganizationSettings(
            time_zone="Asia/Tokyo", security_contacts=("s@example.com",)
        )
        was = replace(TEAM, settings=settings, legal_hold="A court", plan=Plan.PREMIUM)
        stricter = on(ACME, SettingsChanged(require_totp=True, login_ways=(LoginWay.OIDC,)))
        given(*ACCOUNTS, *HERE, stricter).when(replace(fork, was=was), org_id=None).then(
            on(
                COPY,
                CREATED,
                SettingsChanged(
                    require_totp=True, login_ways=(LoginWay.OIDC,), time_zone="Asia/Tokyo"
                ),
                LegalHoldPlaced(reason="A court"),
                joined(ANA, Role.ADMIN),
                joined(BEN, Role.MANAGER),
                joined(CLEO, Role.MEMBER),
                AT,
                org_id=COPY,
            ),
            NOTED,
        )

    def test_whoever_left_or_lost_their_account_leaves_at_once(self) -> None:
        left = on(ACME, MemberLeft(user_id=CLEO, cause=LeaveCause.LEFT))
        others = replace(fork, accounts=frozenset({ANA}))
        given(*ACCOUNTS, *HERE, left).when(others, org_id=None).then(
            on(
                COPY,
                CREATED,
                joined(ANA, Role.ADMIN),
                joined(BEN, Role.MANAGER),
                MemberLeft(user_id=BEN, cause=LeaveCause.REMOVED),
                joined(CLEO, Role.MEMBER),
                MemberLeft(user_id=CLEO, cause=LeaveCause.REMOVED),
                SMALLER,
                AT,
                org_id=COPY,
            ),
            NOTED,
        )

    def test_whoever_is_deactivated_stays_so(self) -> None:
        inactive = on(ACME, MemberDeactivated(user_id=CLEO))
        recorded = given(*ACCOUNTS, *HERE, inactive).when(fork, org_id=None).recorded
        assert on(COPY, MemberDeactivated(user_id=CLEO), org_id=COPY) in recorded

    def test_it_has_an_admin(self) -> None:
        others = replace(fork, accounts=frozenset({BEN, CLEO}))
        given(*ACCOUNTS, *HERE).when(others, org_id=None).then_refused(LastAdmin)

    def test_its_subdomain_is_free_and_allowed(self) -> None:
        taken = on(OrgId(UUID(int=9)), CREATED, org_id=OrgId(UUID(int=9)))
        given(*ACCOUNTS, *HERE, taken).when(fork, org_id=None).then_refused(SubdomainTaken)
        reserved = replace(fork, subdomain="api")
        given(*ACCOUNTS, *HERE).when(reserved, org_id=None).then_refused(SubdomainNotAllowed)

    def test_what_is_purged_is_not_forked(self) -> None:
        purged = on(ACME, OrganizationDeleted(), OrganizationPurged())
        given(*ACCOUNTS, *HERE, purged).when(fork, org_id=None).then_refused(NotFound)

    def test_a_fork_is_made_once(self) -> None:
        made = on(COPY, CREATED, org_id=COPY)
        given(*ACCOUNTS, *HERE, made).when(fork, org_id=None).then()


class TestReadInboxesOfFork:
    read = ReadInboxesOfFork(organization_id=COPY, users=(ANA, BEN), copied=5)
    NOTED = InboxRead(up_to_seq=5, at=NOW)

    def test_all_that_was_copied_is_read(self) -> None:
        given(*ACCOUNTS).when(self.read, org_id=None).then(
            on(stream_of_inbox(ANA, COPY), self.NOTED, org_id=PLATFORM),
            on(stream_of_inbox(BEN, COPY), self.NOTED, org_id=PLATFORM),
        )

    def test_a_run_that_goes_on_reads_it_once(self) -> None:
        before = on(stream_of_inbox(ANA, COPY), self.NOTED, org_id=PLATFORM)
        given(*ACCOUNTS, before).when(self.read, org_id=None).then(
            on(stream_of_inbox(BEN, COPY), self.NOTED, org_id=PLATFORM)
        )


async def test_only_active_accounts_are_members() -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, on(BEN, UserDeactivated()))
        states = CommandHandler(log).states

        assert await active_accounts(states, (ANA, BEN)) == {ANA}
