"""Names that are unique where they belong, and the counts of what is in the trash."""

from uuid import UUID

from msgspec import Struct

from commands.happening import Fingerprint, Happening, Reservations
from domain.base import DomainError, OrgId
from domain.name import folded
from eventstore.claim import ClaimChange, ClaimKey, CountChange, CountKey


class UniqueNames(Struct, frozen=True):
    """A kind of thing whose names are unique in a project.

    Its events have a ``project_id``. ``scope`` is stored with the claims, so it never changes.
    """

    scope: str
    taken: type[DomainError]

    def claim(
        self, fingerprint: Fingerprint, org_id: OrgId, project_id: UUID, name: str
    ) -> ClaimKey:
        """Return the claim on a name in a project."""
        return ClaimKey(org_id, self.scope, project_id, fingerprint(self.scope, folded(name)))

    def created(self, happened: Happening, reserved: Reservations) -> None:
        """Take the name of a new thing."""
        self._take(happened, happened.event.name, reserved)

    def renamed(self, happened: Happening, reserved: Reservations) -> None:
        """Take the new name, unless it is the old one in other letters, and free the old one."""
        event = happened.event
        if folded(event.from_) != folded(event.to):
            self._take(happened, event.to, reserved)
            self._release(happened, event.from_, reserved)

    def deleted(self, happened: Happening, reserved: Reservations) -> None:
        """Free the name of what goes to the trash, and count it there."""
        self._release(happened, happened.before.name, reserved)
        reserved.counts.append(CountChange(part_in_trash(happened.org_id, happened.stream), 1))

    def restored(self, happened: Happening, reserved: Reservations) -> None:
        """Take the name of what comes back from the trash."""
        self._take(happened, happened.before.name, reserved)
        reserved.counts.append(CountChange(part_in_trash(happened.org_id, happened.stream), -1))

    def _take(self, happened: Happening, name: str, reserved: Reservations) -> None:
        claim = self._claim_of(happened, name)
        reserved.claims.append(ClaimChange(claim, happened.stream, self.taken(name=name)))

    def _release(self, happened: Happening, name: str, reserved: Reservations) -> None:
        claim = self._claim_of(happened, name)
        reserved.claims.append(ClaimChange(claim, happened.stream, release=True))

    def _claim_of(self, happened: Happening, name: str) -> ClaimKey:
        project_id = happened.event.project_id
        return self.claim(happened.fingerprint, happened.org_id, project_id, name)


def part_in_trash(org_id: OrgId, thing: UUID) -> CountKey:
    """Return the count that is 1 while a part of a plan is in the trash, else 0."""
    return CountKey(org_id, "parts in the trash", thing)
