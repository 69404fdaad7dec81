"""The rows of the operational tables, one class per table.

This state is not derived from the log, yet all of it may be lost: which event is due follows from
the log and a cursor, which is written in one transaction with the deliveries up to it, and a
delivery that is sent again keeps its id.
"""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class DeliveryStatus(StrEnum):
    """The state of a delivery; the values are stored, so they never change."""

    PENDING = "PENDING"  # no attempt yet
    RETRYING = "RETRYING"  # failed, and will be tried again
    SUCCESS = "SUCCESS"  # answered with 2xx
    FAILED = "FAILED"  # failed for the last time


class NoticeKind(StrEnum):
    """What an operator or a customer should know; the values are stored, so they never change."""

    SENT_AGAIN = "SENT_AGAIN"  # the log was restored: a range of sequences is sent again
    PARKED = "PARKED"  # an event of the webhook itself cannot be read: nothing is sent to it


class Endpoint(Struct, kw_only=True):
    """The operational side of a webhook.

    ``fan`` is the sequence of the last event examined and ``fan_event`` its mark, in the log with
    the identity ``log``; ``last`` is the sequence of the last event that matched. ``fails`` counts
    consecutive failures, ``failed_at`` is the time of the latest. ``replay_version`` is the version
    of the latest replay request, ``replay_next`` the sequence at which it continues (0: done).
    ``owner`` holds the lease until ``until``, by the clock of the database; ``fence`` rises with
    each new owner, ``writes`` with each write of a worker. ``nudged`` is set when somebody has put
    deliveries back or asked for a ping.
    """

    id: str
    org: str
    log: str = ""
    fan: int
    fan_event: str = ""
    last: int = 0
    fails: int = 0
    first_fail: datetime | None = None
    failed_at: datetime | None = None
    open_until: datetime | None = None
    replay_version: int = 0
    replay_next: int = 0
    replay_prev: int | None = None
    owner: str = ""
    until: datetime | None = None
    fence: int = 0
    writes: int = 0
    nudged: bool = False


class Delivery(Struct, kw_only=True):
    """One event for one webhook.

    ``prev`` is the sequence of the previous event that the webhook subscribed to. ``tries`` counts
    the attempts on the retry schedule and restarts when it is sent again; ``attempts`` counts all.
    """

    id: str
    endpoint: str
    org: str
    seq: int
    prev: int
    event_id: str
    type: str
    stream: str
    created_at: datetime
    next_at: datetime
    status: DeliveryStatus = DeliveryStatus.PENDING
    open: bool = True
    tries: int = 0
    attempts: int = 0
    ended_at: datetime | None = None
    last_status: int | None = None
    last_error: str | None = None


class Attempt(Struct, kw_only=True, frozen=True):
    """One POST and its result: the status of the response, or why there was none.

    ``ms`` is its duration in milliseconds. ``excerpt`` is the beginning of the response as text; it
    comes from outside, so escape it.
    """

    id: str
    delivery: str
    endpoint: str
    seq: int
    n: int
    at: datetime
    ms: int
    worker: str
    status: int | None = None
    error: str | None = None
    kind: str | None = None
    ip: str | None = None
    excerpt: str = ""
    request_headers: dict[str, str] = {}
    response_headers: dict[str, str] = {}


class Notice(Struct, kw_only=True, frozen=True):
    """Information about an endpoint other than a delivery; ``first`` to ``last`` are sequences."""

    id: str
    endpoint: str
    org: str
    kind: NoticeKind
    at: datetime
    first: int
    last: int
    detail: str


class Job(Struct, kw_only=True):
    """Work that is due at a time, without an event; a sweep finds it even if Redis lost it."""

    id: str
    due_at: datetime
    owner: str = ""
    until: datetime | None = None
    fence: int = 0


class WorkLease(Struct, kw_only=True, frozen=True):
    """Work that only one process does at a time.

    ``owner`` has it until ``until``, by the clock of the database.
    """

    id: str
    owner: str
    until: datetime


class CrewMember(Struct, kw_only=True, frozen=True):
    """One of the processes that share the work of a crew, until ``until``.

    That is by the clock of the database; ``id`` is made of both names.
    """

    id: str
    crew: str
    member: str
    until: datetime


class MailStatus(StrEnum):
    """What has become of a mail; the values are stored, so they never change."""

    PENDING = "PENDING"  # not sent yet
    SENT = "SENT"  # the mail server took it
    FAILED = "FAILED"  # refused for good, or too often
    OBSOLETE = "OBSOLETE"  # nobody needs it any more, as an invitation that was revoked


class Mail(Struct, kw_only=True):
    """One event that somebody is to be told of by mail; ``id`` is the event's.

    ``part`` and ``position`` say where the event stands. ``owner`` sends it until ``until``, on
    the clock of the database. The text is made when it is sent, so that no address or token
    stands here.
    """

    id: str
    org: str
    part: int
    position: int
    type: str
    created_at: datetime
    next_at: datetime
    status: MailStatus = MailStatus.PENDING
    open: bool = True
    tries: int = 0
    ended_at: datetime | None = None
    last_error: str | None = None
    owner: str = ""
    until: datetime | None = None
    fence: int = 0


class LogCursor(Struct, kw_only=True, frozen=True):
    """How far a partition was searched by one who acts on its events, as the sender of mails.

    ``event_id`` is the mark of the event at ``position``, which tells when the log was replaced.
    """

    id: str
    position: int
    event_id: str


class KeyUsed(Struct, kw_only=True, frozen=True):
    """When an API key was last used, to the minute; ``id`` is the key's."""

    id: str
    used_at: datetime


class ImportState(StrEnum):
    """Whether an import goes on; the values are stored, so they never change."""

    RUNNING = "RUNNING"
    DONE = "DONE"  # every line was read
    STOPPED = "STOPPED"  # the lines from somewhere on were not


class ImportProgress(Struct, kw_only=True):
    """How far an import of tasks is.

    ``lines`` counts those of the file. ``refusals`` has the codes of refused lines by their
    numbers, of the first ones. ``code`` tells why it stopped.
    """

    id: str
    org: str
    project: str
    correlation_id: str
    lines: int
    started_at: datetime
    updated_at: datetime
    state: ImportState = ImportState.RUNNING
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    refusals: dict[str, str] = {}
    code: str | None = None


class Backlog(Struct, frozen=True):
    """How many deliveries are open, and when the oldest of them was created."""

    open: int
    oldest: datetime | None
