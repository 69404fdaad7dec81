"""The port that every event database fulfils; one contract suite runs against all of them."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from domain.base import OrgId
from eventstore.append import Append, Outcome, Secret, StoredReply
from eventstore.claim import ClaimKey, CountKey, Held
from eventstore.mode import LogMode
from eventstore.recorded import Row


class LogIdentity(Struct, frozen=True):
    """Which log this is, and how often it was set back to a backup.

    A follower keeps both beside its position: positions of another log, or of another epoch of
    the same one, mean other events.
    """

    id: UUID
    epoch: int


class TreeHead(Struct, frozen=True):
    """The Merkle tree of one organization after its first *size* events, signed."""

    org_id: OrgId
    size: int
    frontier: bytes
    note: str


class Store(Protocol):
    """An event database: rows are only ever added, in one transaction a batch."""

    inline: bool
    """Whether reads are quick enough to run on the event loop (an in-process database)."""

    parts: int
    """How many partitions the log has; each counts its positions from 1."""

    def identity(self) -> LogIdentity:
        """Return the identity that the log got when it was created."""
        ...

    def raise_epoch(self, epoch: int) -> None:
        """Make *epoch* the log's, unless it has one as high already."""
        ...

    def mode(self) -> LogMode:
        """Return whether the log takes commands, or why not."""
        ...

    def set_mode(self, mode: LogMode) -> None:
        """Have every process obey *mode*; commits under way end first."""
        ...

    def create(self) -> None:
        """Create what is missing of the schema, the guards against change included.

        :raises LogUnfit: the database holds a log of an older shape, or of other partitions.
        """
        ...

    def open(self) -> None:
        """Make ready to append and read; a store of one process creates what is missing.

        :raises LogUnfit: there is no log yet, or one that does not fit.
        """
        ...

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        """Write a batch durably, with one outcome a command.

        Numbers that were left open are filled in, positions and sequences assigned.

        :raises LogUnavailable: nothing of the batch was written, or it is unknown whether it
            was; the command ids make a second try safe.
        :raises LogClosed: the log takes no commands; nothing was written.
        """
        ...

    def rehearse(self, append: Append) -> Outcome:
        """Return what would become of *append* now, and write nothing."""
        ...

    def stream(self, stream_id: UUID, after: int = 0, part: int = 0) -> list[Row]:
        """Return the events of a stream with a version above *after*, oldest first."""
        ...

    def tail(self, after: int, limit: int, tags: Sequence[str] = (), part: int = 0) -> list[Row]:
        """Return at most *limit* events of a partition above *after*, in commit order."""
        ...

    def organization(self, org_id: OrgId, after: int, limit: int) -> list[Row]:
        """Return an organization's events with a sequence above *after*, in order."""
        ...

    def organization_before(self, org_id: OrgId, before: int, limit: int) -> list[Row]:
        """Return an organization's events with a sequence below *before*, newest first."""
        ...

    def heads(self, streams: Sequence[UUID], part: int = 0) -> dict[UUID, int]:
        """Return the newest version of each stream; unknown streams are left out."""
        ...

    def organization_heads(self, part: int = 0) -> dict[OrgId, int]:
        """Return the newest sequence of every organization of a partition."""
        ...

    def last_position(self, part: int = 0) -> int:
        """Return the newest position of a partition, 0 when it is empty."""
        ...

    def holders(self, claims: Sequence[ClaimKey]) -> dict[ClaimKey, Held]:
        """Return who holds each claim, or has it kept for them; free ones are left out."""
        ...

    def counted(self, counts: Sequence[CountKey]) -> dict[CountKey, int]:
        """Return how many there are of each; what was never counted is left out."""
        ...

    def claims_in(self, part: int) -> dict[tuple[str, UUID, bytes], Held]:
        """Return every claim of a partition by its scope, where it is unique, and its value."""
        ...

    def counts_in(self, part: int) -> dict[tuple[str, UUID], int]:
        """Return every count of a partition by its scope and what it is within."""
        ...

    def keys(self, subjects: Sequence[UUID], part: int = 0) -> dict[UUID, bytes | None]:
        """Return wrapped data keys; None for a destroyed one, unknown subjects left out."""
        ...

    def destroy_key(self, subject: UUID, part: int = 0) -> None:
        """Forget the data key of *subject* for ever; what it sealed becomes unreadable."""
        ...

    def secrets(self, owner: UUID, part: int = 0) -> Mapping[str, bytes]:
        """Return the sealed secrets of *owner* by name."""
        ...

    def put_secret(self, secret: Secret, part: int = 0) -> None:
        """Write one secret without an event (a stronger hash of the same password)."""
        ...

    def reply(self, key: bytes, part: int = 0) -> StoredReply | None:
        """Return the stored reply to an Idempotency-Key of an actor."""
        ...

    def tree_heads(self, org_id: OrgId, since: int = 0) -> list[TreeHead]:
        """Return the signed tree heads of an organization of at least *since*, smallest first."""
        ...

    def newest_tree_head(self, org_id: OrgId, size_max: int) -> TreeHead | None:
        """Return the largest signed tree head of an organization up to *size_max*."""
        ...

    def drop_tree_heads(self, org_id: OrgId, above: int) -> None:
        """Forget the tree heads of an organization that are larger than *above*."""
        ...

    def put_tree_head(self, head: TreeHead) -> None:
        """Keep a signed tree head; a second one of the same size is ignored."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...
