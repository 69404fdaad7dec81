"""The port that every event database implements; one contract suite runs against all of them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from msgspec import Struct

from domain.base import OrgId
from eventstore.append import Append, KeptSince, Outcome, Secret, UsedKey
from eventstore.claim import ClaimKey, CountKey, Held
from eventstore.mode import LogMode
from eventstore.past.events import PastEvents
from eventstore.recorded import Row
from eventstore.trees import Trees

STREAM_MAX = 2**62
"""More events than any stream will ever have."""


Mark = tuple[int, ...]
"""The newest position of each partition: it differs from earlier ones once an event is recorded."""


class OwnCommit(NamedTuple):
    """A commit between two positions, with the versions, positions and counts that it left.

    Versions of streams and positions of organizations are by the integers of ids, counts by that
    of what they are within and their scope.
    """

    began: int
    left: int
    versions: Mapping[int, int]
    positions: Mapping[int, int]
    counts: Mapping[tuple[int, str], int]


class LogIdentity(Struct, frozen=True):
    """Which log this is, and how often it was set back to a backup.

    A follower stores both with its position, because positions of another log, or of another epoch
    of the same log, mean other events.
    """

    id: UUID
    epoch: int


class Wrapped(Struct, frozen=True):
    """The data key of a subject (without a name), or a secret by its name and owner."""

    owner: UUID
    name: str
    value: bytes

    @property
    def place(self) -> tuple[bytes, str]:
        """Where it stands among all of a partition."""
        return self.owner.bytes, self.name


class Store(Trees, PastEvents, Protocol):
    """An event database: events are only ever added, one transaction per batch."""

    inline: bool
    """Whether reads are quick enough to run on the event loop (an in-process database)."""

    parts: int
    """How many partitions the log has; each counts its positions from 1."""

    separate: bool
    """Whether the partitions are on several machines, some of which may not answer."""

    def identity(self) -> LogIdentity:
        """Return the identity of the log."""
        ...

    def raise_epoch(self, epoch: int) -> None:
        """Set the epoch of the log to *epoch*, unless it is already as high."""
        ...

    def mark(self) -> Mark | None:
        """Return the mark of now; None if that would take as long as reading what it stands for."""
        ...

    def own_commits(self, since: Mark, until: Mark) -> Sequence[OwnCommit] | None:
        """Return what commits of this process changed between two marks; None if others did, too.

        Each is told once.
        """
        ...

    def mode(self, part: int | None = None) -> LogMode:
        """Return whether the log, or one partition of it, takes commands, or why not."""
        ...

    def set_mode(self, mode: LogMode) -> None:
        """Make every process obey *mode*; commits in progress finish first."""
        ...

    def create(self) -> None:
        """Create the missing parts of the schema, including the guards against changes.

        :raises LogUnfit: the log has an older format or another number of partitions.
        """
        ...

    def open(self) -> None:
        """Prepare to append and read; a store for one process creates what is missing.

        :raises LogUnfit: there is no log yet, or not one that this version can use.
        """
        ...

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        """Write a batch durably, with its open numbers filled in; return one outcome per command.

        :raises LogUnavailable: nothing was written, or it is unknown whether the batch was; the
            versions that it expects make a second try safe.
        :raises LogClosed: the log takes no commands; nothing was written.
        """
        ...

    def commit_free(self, appends: Sequence[Append]) -> Sequence[Outcome | None]:
        """Write those of a batch whose partitions no other process is writing to now.

        The outcome of the others is None: they were not tried. Raises as ``commit`` does.
        """
        ...

    def rehearse(self, append: Append) -> Outcome:
        """Return the outcome that *append* would have now, without writing anything."""
        ...

    def stream(
        self, stream_id: UUID, after: int = 0, part: int = 0, limit: int = STREAM_MAX
    ) -> list[Row]:
        """Return at most *limit* events of a stream above version *after*, oldest first."""
        ...

    def tail(self, after: int, limit: int, tags: Sequence[str] = (), part: int = 0) -> list[Row]:
        """Return at most *limit* events of a partition above *after*, in commit order.

        They end earlier with the event by which they hold ``READ_BYTES_MAX``.
        """
        ...

    def organization(self, org_id: OrgId, after: int, limit: int) -> list[Row]:
        """Return an organization's events with a sequence above *after*, in order.

        They end like those of ``tail``.
        """
        ...

    def organization_at(self, org_id: OrgId, sequences: Sequence[int]) -> list[Row]:
        """Return the events of an organization at *sequences* (not none), ended as in ``tail``."""
        ...

    def organization_before(self, org_id: OrgId, before: int, limit: int) -> list[Row]:
        """Return an organization's events with a sequence below *before*, newest first.

        They end like those of ``tail``.
        """
        ...

    def heads(self, streams: Sequence[UUID], part: int = 0) -> dict[UUID, int]:
        """Return the newest version of each stream; unknown streams are left out."""
        ...

    def newest_position(self, org_id: OrgId) -> int:
        """Return the position of an organization's newest event, 0 if it has none."""
        ...

    def organization_heads(self, part: int = 0) -> dict[OrgId, int]:
        """Return the newest sequence of every organization of a partition."""
        ...

    def last_position(self, part: int = 0) -> int:
        """Return the newest position of a partition, 0 when it is empty."""
        ...

    def holders(self, claims: Sequence[ClaimKey]) -> dict[ClaimKey, Held]:
        """Return who holds each claim or has it reserved; free ones are left out."""
        ...

    def claimed(self, org_id: OrgId, scope: str, within: UUID) -> list[UUID]:
        """Return the holders of all claims of a scope within something, in the order of values."""
        ...

    def claimed_between(self, claim: ClaimKey, below: bytes, limit: int) -> list[bytes]:
        """Return the first values above that of *claim* and below another that are held, in order.

        They are in its scope, and within the same thing.
        """
        ...

    def claimed_in(self, part: int, scope: str) -> list[tuple[UUID, UUID]]:
        """Return what each claim of a scope in a partition is within, and who holds it."""
        ...

    def counted(self, counts: Sequence[CountKey]) -> dict[CountKey, int]:
        """Return the value of each count; those never changed are left out."""
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
        """Destroy the data key of *subject*; what it sealed becomes unreadable forever."""
        ...

    def secrets(self, owner: UUID, part: int = 0) -> Mapping[str, bytes]:
        """Return the sealed secrets of *owner* by name."""
        ...

    def put_secret(self, secret: Secret, part: int = 0) -> None:
        """Write one secret without an event (a stronger hash of the same password)."""
        ...

    def wrapped(self, after: Wrapped | None, limit: int, part: int = 0) -> list[Wrapped]:
        """Return data keys and secrets of a partition behind *after*, in a fixed order."""
        ...

    def wrap_again(self, found: Wrapped, value: bytes, part: int = 0) -> bool:
        """Replace the value of *found*; return False if it changed or was destroyed since."""
        ...

    def used_key(self, key_hash: bytes, part: int = 0) -> UsedKey | None:
        """Return what an Idempotency-Key was used for, None if it is new."""
        ...

    def drop_replies(self, kept: KeptSince, limit: int, part: int = 0) -> int:
        """Forget at most *limit* replies of each kind older than *kept*; return how many."""
        ...

    def recorded_with_keys(self, part: int) -> dict[int, UUID]:
        """Return the last events of the commands that used a key, their ids by their positions."""
        ...

    def may_change_events(self) -> bool:
        """Return whether our role at the database may change events; False without roles."""
        ...

    def hang_up(self) -> None:
        """Have calls in progress fail, because the database does not answer; for any thread."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...
