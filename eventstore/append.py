"""What one command asks the log to write, and what becomes of it."""

from uuid import UUID

from msgspec import Struct

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
    to included; 0 means that the stream must not exist.
    """

    command_id: UUID
    rows: list[Row]
    expects: dict[UUID, int]
    keys: dict[UUID, bytes]  # wrapped data keys of new subjects
    secrets: tuple[Secret, ...] = ()
    reply_key: bytes | None = None
    reply: StoredReply | None = None


class Appended(Struct, frozen=True):
    """The command is durable; *position* is that of its last event."""

    position: int


class Conflict(Struct, frozen=True):
    """Another command got to *stream* first; nothing was written. Load again and decide again."""

    stream: UUID


class AlreadyDone(Struct, frozen=True):
    """This very command was recorded before: a retry after a lost reply."""

    position: int


Outcome = Appended | Conflict | AlreadyDone


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
