"""The last step of a fork: the organization that all that was copied belongs to."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import ClassVar

from commands.base import Change, Command, Context, Decision
from commands.fork.abandon import ForkAbandoned
from commands.fork.progress import forget_progress
from commands.identity.organization import Subdomain
from commands.reads import Reads
from commands.states import States
from domain.audit import AuditTrail, LogForked, trail_of_fork
from domain.base import PLATFORM, NotFound, OrgId, UserId
from domain.identity.organization.events import OrganizationCreated, PlanChanged
from domain.identity.organization.forked import OrganizationForked
from domain.identity.organization.forking import hold_of_fork, members_of_fork, settings_of_fork
from domain.identity.organization.legal_hold import LegalHoldPlaced
from domain.identity.organization.membership import (
    MemberDeactivated,
    MemberJoined,
    MemberLeft,
)
from domain.identity.organization.settings import SettingsChanged
from domain.identity.organization.state import Organization
from domain.identity.plan import Plan
from domain.identity.subdomain import refuse_unless_allowed
from domain.identity.user.state import User
from domain.name import Name
from domain.permission import Permission
from domain.planning.inbox import Inbox, InboxRead, stream_of_inbox
from eventstore.claim import ClaimChange

_USERS_AT_ONCE = 500


class ForkOrganization(Command, frozen=True, kw_only=True):
    """Make an organization of what was copied of another one, with its members.

    Until then nobody can reach any of it. It begins with the largest plan, so that no limit refuses
    what was there.
    """

    needs: ClassVar[Permission | None] = None
    records = (
        OrganizationCreated,
        SettingsChanged,
        LegalHoldPlaced,
        MemberJoined,
        MemberLeft,
        MemberDeactivated,
        PlanChanged,
        OrganizationForked,
        LogForked,
    )
    organization_id: OrgId
    name: Name
    subdomain: Subdomain
    forked: OrganizationForked
    was: Organization
    """What the original was then."""
    accounts: frozenset[UserId]
    """The members of the original whose accounts are active."""
    due: tuple[ClaimChange, ...] = ()
    """The claims of the tasks that repeat."""

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        refuse_unless_allowed(self.subdomain)
        fork = await read.elsewhere(self.organization_id)
        if fork.purged:
            raise ForkAbandoned
        if fork.created:
            return []
        original = await read.elsewhere(self.forked.from_organization)
        if original.purged:
            raise NotFound
        created = OrganizationCreated(name=self.name, subdomain=self.subdomain, plan=Plan.PREMIUM)
        plan = self.was.plan
        smaller = [PlanChanged(from_=Plan.PREMIUM, to=plan)] if plan is not Plan.PREMIUM else []
        members = members_of_fork(self.was.members, original.members, self.accounts)
        trail = trail_of_fork(self.forked.from_organization, self.organization_id)
        read.new(AuditTrail, trail)
        noted = LogForked(organization_id=self.organization_id, at=self.forked.at)
        return [
            Change(
                self.organization_id,
                [
                    created,
                    *settings_of_fork(self.was.settings, original.settings),
                    *hold_of_fork(self.was.legal_hold),
                    *members,
                    *smaller,
                    self.forked,
                ],
                self.organization_id,
            ),
            Change(trail, [noted], self.forked.from_organization),
            *self.due,
            forget_progress(self.organization_id),
        ]


class ReadInboxesOfFork(Command, frozen=True, kw_only=True):
    """Mark all that was copied as read in the inboxes of people, before they are members of it."""

    needs: ClassVar[Permission | None] = None
    records = (InboxRead,)
    organization_id: OrgId
    users: tuple[UserId, ...]
    copied: int
    """How many events the fork has."""

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        changes: list[Change] = []
        for user_id in self.users:
            stream = stream_of_inbox(user_id, self.organization_id)
            events = read.new(Inbox, stream).read(self.copied, context.now)
            changes += [Change(stream, events, PLATFORM)] if events else []
        return changes


async def active_accounts(states: States, users: Iterable[UserId]) -> frozenset[UserId]:
    """Return which of *users* have an active account."""
    found: list[UserId] = []
    for some in in_pieces(users):
        accounts = await states.all_fresh([(User, each) for each in some])
        found += (
            each for each, account in zip(some, accounts, strict=True) if account.state.active
        )
    return frozenset(found)


def in_pieces(users: Iterable[UserId]) -> Iterator[tuple[UserId, ...]]:
    """Yield *users* some at a time, for an append or a query of their own."""
    left = iter(users)
    while some := tuple(islice(left, _USERS_AT_ONCE)):
        yield some
