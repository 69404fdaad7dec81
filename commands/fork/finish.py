"""The last step of a fork: the organization that all that was copied belongs to."""

from collections.abc import Sequence
from typing import ClassVar

from commands.base import Change, Command, Context, Decision
from commands.fork.abandon import ForkAbandoned
from commands.fork.progress import forget_progress
from commands.identity.organization import Subdomain
from commands.reads import Reads
from domain.audit import AuditTrail, LogForked, trail_of_fork
from domain.base import PLATFORM, NotFound, OrgId
from domain.identity.organization.events import OrganizationCreated, PlanChanged
from domain.identity.organization.forked import OrganizationForked
from domain.identity.organization.forking import hold_of_fork, members_of_fork, settings_of_fork
from domain.identity.organization.legal_hold import LegalHoldPlaced
from domain.identity.organization.membership import (
    MemberDeactivated,
    MemberJoined,
    MemberLeft,
    MembershipEvent,
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
        InboxRead,
    )
    organization_id: OrgId
    name: Name
    subdomain: Subdomain
    forked: OrganizationForked
    was: Organization
    """What the original was then."""
    copied: int
    """How many events the fork has already."""
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
        accounts = [each for each in original.members if (await read(User, each)).active]
        created = OrganizationCreated(name=self.name, subdomain=self.subdomain, plan=Plan.PREMIUM)
        plan = self.was.plan
        smaller = [PlanChanged(from_=Plan.PREMIUM, to=plan)] if plan is not Plan.PREMIUM else []
        members = members_of_fork(self.was.members, original.members, set(accounts))
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
            *self._read_by_all(read, context, members),
            *self.due,
            forget_progress(self.organization_id),
        ]

    def _read_by_all(
        self, read: Reads, context: Context, members: Sequence[MembershipEvent]
    ) -> list[Change]:
        """Return what marks all that was copied as read, in the inboxes of its members."""
        gone = {each.user_id for each in members if isinstance(each, MemberLeft)}
        joined = [each.user_id for each in members if isinstance(each, MemberJoined)]
        changes: list[Change] = []
        for user_id in joined:
            stream = stream_of_inbox(user_id, self.organization_id)
            inbox = read.new(Inbox, stream)
            events = [] if user_id in gone else inbox.read(self.copied, context.now)
            changes += [Change(stream, events, PLATFORM)] if events else []
        return changes
