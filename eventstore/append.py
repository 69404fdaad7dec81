"""What a command asks the log to write, and the outcome."""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from domain.base import PLATFORM, DomainError, OrgId
from eventstore.claim import ClaimChange, CountChange, OpenNumber
from eventstore.recorded import Row


class SealedReply(Struct, frozen=True):
    """The first response to an Idempotency-Key, kept for a while so that a retry gets the same.

    Sealed under the key of a subject. ``secret`` is the same response with its secrets, which is
    kept for a shorter time; None if it has none.
    """

    status: int
    version: int
    body: bytes
    secret: bytes | None = None


class KeyUse(Struct, kw_only=True):
    """An Idempotency-Key, written with the command that it is used for; no other may use it.

    ``key_hash`` is a keyed hash of actor, organization and key; ``at`` is in microseconds since
    1970.
    """

    key_hash: bytes
    request_hash: bytes
    at: int
    reply: SealedReply | None = None


class UsedKey(Struct, frozen=True, kw_only=True):
    """What is known of an Idempotency-Key that was used.

    ``position`` and ``event_id`` are those of the last event of its command in the partition of its
    organization; 0 and None if it recorded none there.
    """

    request_hash: bytes
    position: int
    event_id: UUID | None
    at: int
    reply: SealedReply | None = None


class KeptSince(NamedTuple):
    """From when on replies, and those with secrets, are kept; in microseconds since 1970."""

    replies: int
    secrets: int


class Secret(Struct, frozen=True):
    """A value that must not be in an event, stored next to the log in the same transaction.

    ``sealed`` None removes it.
    """

    owner: UUID
    name: str
    sealed: bytes | None


class Redacted(NamedTuple):
    """What is left of the sealed values of an event of the caller's organization, None for nothing.

    The event itself stays as it was hashed, with its commitments.
    """

    stream: UUID
    version: int
    private: bytes | None


class Append(Struct, kw_only=True):
    """Everything that one command writes, all of it or nothing.

    ``expects`` holds the version of every stream that the decision read, including those that it
    writes to; 0 means that the stream must not exist. ``org_id`` is the organization that the
    command runs in. ``owners`` names the owner of streams that were read, subjects of new keys and
    owners of secrets if they belong to another organization (or to the platform). The keys of
    those ``destroyed`` go for good, and so do values of the events that are ``redacted``.
    """

    rows: list[Row]
    expects: dict[UUID, int]
    keys: dict[UUID, bytes]  # wrapped data keys of new subjects
    org_id: OrgId = PLATFORM
    owners: dict[UUID, OrgId] = {}
    destroyed: tuple[UUID, ...] = ()
    redacted: tuple[Redacted, ...] = ()
    secrets: tuple[Secret, ...] = ()
    claims: tuple[ClaimChange, ...] = ()
    counts: tuple[CountChange, ...] = ()
    numbers: tuple[OpenNumber, ...] = ()
    key_use: KeyUse | None = None
    although_closed: bool = False
    """Whether to record this even in a log that takes no commands: an operator's own entries."""
    seal: Callable[[], None] | None = None
    """Makes the bytes of the rows and the keys of new subjects; see ``complete``."""

    def complete(self) -> None:
        """Make what is still to be sealed, once.

        The log does it for all commands that come in one turn of its loop, one after the other:
        what seals and encodes is then in the processor's caches, and takes a third of the time.
        """
        if self.seal is not None:
            seal, self.seal = self.seal, None
            seal()

    def owner(self, stream: UUID) -> OrgId:
        """Return the organization that a stream, subject or owner of secrets belongs to."""
        return self.owners.get(stream, self.org_id) if self.owners else self.org_id


class Appended(Struct, frozen=True):
    """The command is durable.

    *position* is the position of its last event in the partition of the organization that it ran
    in; if it has no event there, of its last event elsewhere, in partition *part*.
    """

    position: int
    part: int = 0


class Conflict(Struct, frozen=True):
    """Another command changed *stream* first, so nothing was written. Load and decide again."""

    stream: UUID


class AlreadyDone(Struct, frozen=True):
    """This command was recorded before, or its Idempotency-Key was used; nothing was written.

    A store recognises a command that it sent before if the answer to that commit was lost.
    *position* is that of the last event which the recorded command has in the partition of the
    organization that it ran in, 0 if it has none there. If its answer was lost, it is as in
    ``Appended``, and the rows have their positions.
    """

    position: int


class Refused(Struct, frozen=True):
    """A claim is taken or a count is at its limit; nothing was written."""

    error: DomainError


Outcome = Appended | Conflict | AlreadyDone | Refused


class ConcurrencyConflict(Exception):
    """A stream that the decision read has changed. It is safe to load again and retry."""

    def __init__(self, stream: UUID) -> None:
        super().__init__(f"stream {stream} has changed")
        self.stream = stream


class CommandAlreadyDone(Exception):
    """The command was recorded before, or its Idempotency-Key was used before."""

    def __init__(self, position: int) -> None:
        super().__init__(f"already recorded at position {position}")
        self.position = position


class LogUnavailable(Exception):
    """The event database does not answer or cannot be written; nothing was recorded."""


class TooManyWaiting(LogUnavailable):
    """So many commands of the organization wait for the disk that no more are taken now."""


class LogUnfit(Exception):
    """The database has no log that this version can use; the message says what to do."""
