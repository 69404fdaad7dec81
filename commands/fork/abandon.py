"""Giving up a fork that was begun, and never finished."""

from typing import ClassVar

from commands.base import Change, Command, Context, Decision, KeyDestroyed
from commands.fork.progress import forget_progress
from commands.reads import Reads
from domain.audit import AuditTrail, LogForkAbandoned, trail_of_fork
from domain.base import ERASED, DomainError, OrgId, Refusal
from domain.identity.organization.events import (
    OrganizationCreated,
    OrganizationDeleted,
    OrganizationPurged,
)
from domain.identity.plan import Plan
from domain.permission import Permission


class AbandonFork(Command, frozen=True, kw_only=True):
    """Give up a fork that was begun, and purge all that was copied.

    It becomes an organization that is purged at once. From that follows what always does, in parts:
    everything in it is purged, with its keys and files.
    """

    needs: ClassVar[Permission | None] = None
    records = (OrganizationCreated, OrganizationDeleted, OrganizationPurged, LogForkAbandoned)
    organization_id: OrgId
    original: OrgId
    at: int

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        fork = await read.elsewhere(self.organization_id)
        if fork.purged:
            return []
        if fork.created:
            raise ForkIsWhole
        unused = f"fork-{self.organization_id}"  # the one that was wanted may be taken since
        trail = trail_of_fork(self.original, self.organization_id)
        read.new(AuditTrail, trail)
        abandoned = LogForkAbandoned(organization_id=self.organization_id, at=self.at)
        return [
            Change(
                self.organization_id,
                [
                    OrganizationCreated(name=ERASED, subdomain=unused, plan=Plan.FREE),
                    OrganizationDeleted(),
                    OrganizationPurged(),
                ],
                self.organization_id,
            ),
            Change(trail, [abandoned], self.original),
            KeyDestroyed(self.organization_id),
            forget_progress(self.organization_id),
        ]


class ForkIsWhole(DomainError):
    """This fork is an organization already. Delete it like any other."""

    code = "fork_is_whole"
    refusal = Refusal.CONFLICT


class ForkAbandoned(DomainError):
    """This fork was given up meanwhile."""

    code = "fork_abandoned"
    refusal = Refusal.CONFLICT
