"""What one command asks the log to write, and what becomes of it."""

from uuid import UUID

from msgspec import Struct

from domain.base import PLATFORM, DomainError, OrgId
from eventstore.claim import ClaimChange, CountChange, OpenNumber
from eventstore.recorded import Row


class StoredReply(Struct, frozen=True):
    """The first answer to an Idempotency-Key, kept so that a retry gets the same bytes."""

    request_hash: bytes
    status: int
    body: bytes
    etag: str | None
    position: int


class Secret(Struct, frozen=True):
    """A value that must not be in an event, written beside it in the same transaction.

    ``sealed`` None removes it.
    """

    owner: UUID
    name: str
    sealed: bytes | None


class Append(Struct, kw_only=True):
    """Everything one command writes: all of it or nothing.

    ``expects`` holds the version of every stream that the decision read, those that it writes
    to included; 0 means that the stream must not exist. ``org_id`` is the organization that the
    command runs in; what belongs to another one (or to the platform) is named in ``owners``:
    streams that were read, subjects of new keys, owners of secrets.
    """

    command_id: UUID
    rows: list[Row]
    expects: dict[UUID, int]
    keys: dict[UUID, bytes]  # wrapped data keys of new subjects
    org_id: OrgId = PLATFORM
    owners: dict[UUID, OrgId] = {}
    secrets: tuple[Secret, ...] = ()
    claims: tuple[ClaimChange, ...] = ()
    counts: tuple[CountChange, ...] = ()
    numbers: tuple[OpenNumber, ...] = ()
    reply_key: bytes | None = None
    reply: StoredReply | None = None

    def owner(self, stream: UUID) -> OrgId:
        """Return the organization that a stream, subject or owner of secrets belongs to."""
        return self.owners.get(stream, self.org_id)


class Appended(Struct, frozen=True):
    """The command is durable; *position* is that of its last event, in partition *part*."""

    position: int
    part: int = 0


class Conflict(Struct, frozen=True):
    """Another command got to *stream* first; nothing was written. Load again and decide again."""

    stream: UUID


class AlreadyDone(Struct, frozen=True):
    """This very command was recorded before: a retry after a lost reply."""

    position: int


class Refused(Struct, frozen=True):
    """A claim is taken or a count is at its limit; nothing was written."""

    error: DomainError


Outcome = Appended | Conflict | AlreadyDone | Refused


class ConcurrencyConflict(Exception):
    """A stream that the decision read has moved on. Safe to load again and retry."""

    def __init__(self, stream: UUID) -> None:
        super().__init__(f"stream {stream} has moved on")
        self.stream = stream


class CommandAlreadyDone(Exception):
    """The command was recorded before; its stored reply, if it was asked for one, holds."""

    def __init__(self, position: int) -> None:
        super().__init__(f"already recorded at position {position}")
        self.position = position


class LogUnavailable(Exception):
    """The event database does not answer or refuses to write; nothing was recorded."""


class LogUnfit(Exception):
    """The database is no log that this version can use; the message says what to do."""
