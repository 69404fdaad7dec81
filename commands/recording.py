"""A decision prepared for the log: encrypted rows, new keys and the resulting states."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from commands.base import Change, Command, Context, Decision
from commands.reads import Reads
from commands.reservations import Happening, Reservations, is_open_number, note, task_numbers
from commands.states import Loaded
from domain.base import PLATFORM, Event, OrgId, State
from domain.work.task.events import TaskCreated
from eventstore.append import Append, ConcurrencyConflict, Secret
from eventstore.claim import OpenNumber
from eventstore.codec import (
    NOWHERE,
    SEALED_TYPES,
    Cipher,
    EncodeAgain,
    Origin,
    encode_open,
    seal_origin,
)
from eventstore.log import EventLog
from eventstore.recorded import Metadata, Row, microseconds


class Recording(Struct):
    """What a command is about to write, and the resulting states of the streams."""

    append: Append
    states: dict[UUID, Loaded[Any]]
    changes: list[Change]
    ciphers: dict[UUID, Cipher]
    completed: Callable[[], None] | None = None
    """Called once an open number is known, to render what shows it."""

    @property
    def writes(self) -> bool:
        return bool(self.append.rows or self.append.secrets)


async def prepare(
    log: EventLog, command: Command, context: Context, reads: Reads, decision: Decision
) -> Recording:
    """Return the decision as rows in the order decided, with the versions they must follow.

    :raises ConcurrencyConflict: the caller was authenticated with an older version than was read.
    """
    expects = reads.expects
    for stream, version in context.seen.items():
        if expects.get(stream, version) != version:
            raise ConcurrencyConflict(stream)
    changes = [part for part in decision if isinstance(part, Change) and part.events]
    secrets = tuple(part for part in decision if isinstance(part, Secret))
    append = Append(
        rows=[],
        expects={**context.seen, **expects},  # a missing permission is reported first
        keys={},
        org_id=context.org_id or PLATFORM,
        owners=_owners(log, context, reads),
        secrets=secrets,
        although_closed=command.although_closed,
    )
    recording = Recording(append, {}, changes, {})
    if changes:
        await _fetch_keys(log, context, reads, changes)
        _encode_all(log, command, context, reads, recording)
    return recording


async def _fetch_keys(log: EventLog, context: Context, reads: Reads, changes: list[Change]) -> None:
    subjects = [c.stream for c in changes if reads.version(c.stream) and _is_personal(c)]
    missing = [subject for subject in subjects if log.keys.cached(subject) is None]
    person, ours = context.person, context.org_id or PLATFORM
    if person is not None and log.keys.cached(person) is None:
        missing.append(person)
    if missing:
        owners = reads.owners if person is None else {**reads.owners, person: PLATFORM}
        await log.fetch_keys({subject: owners.get(subject, ours) for subject in missing})


def _owners(log: EventLog, context: Context, reads: Reads) -> dict[UUID, OrgId]:
    if log.parts == 1:  # everything is in the same partition, whoever owns it
        return {}
    return {**context.seen_of_platform, **reads.owners}


def _encode_all(
    log: EventLog, command: Command, context: Context, reads: Reads, recording: Recording
) -> None:
    for change in recording.changes:
        if _is_personal(change) and log.keys.cached(change.stream) is None:
            _make_key(log, change.stream, recording)
    encoding = _Encoding(log, command, context, _origin(log, context, recording))
    organization = reads.organization
    plan = None if organization is None else organization.plan
    reserved = Reservations([], [])
    for index, change in enumerate(recording.changes):
        kind, found = reads.loaded[change.stream]
        org_id = change.org_id or (PLATFORM if kind.platform else context.organization)
        cipher = recording.ciphers.get(change.stream) or log.keys.cached(change.stream)
        state, version = found.state, found.version
        for event in change.events:
            version += 1
            happened = Happening(
                type(event),
                event,
                state,
                change.stream,
                org_id,
                encoding.at,
                plan,
                log.keys.fingerprint,
            )
            note(happened, reserved)
            row, encode_again = encoding.row(event, (org_id, change.stream, version), cipher)
            recording.append.rows.append(row)
            if is_open_number(event):
                _leave_open(recording, index, (row, encode_again), state)
            state = state.evolve(event)
        recording.states[change.stream] = Loaded(state, version, org_id, context.now)
    recording.append.claims = tuple(reserved.claims)
    recording.append.counts = tuple(reserved.counts)


def _leave_open(
    recording: Recording, index: int, encoded: tuple[Row, EncodeAgain], initial: State
) -> None:
    """Let the append number the first event of a change and encode again what shows the number."""
    change, (row, encode_again) = recording.changes[index], encoded
    event, *others = change.events
    assert isinstance(event, TaskCreated)  # noqa: S101  only this event has a number

    def fill(number: int) -> None:
        row.state = encode_again(number)
        numbered: list[Event] = [replace(event, number=number), *others]
        recording.changes[index] = change._replace(events=numbered)
        state = initial
        for happened in numbered:
            state = state.evolve(happened)
        known = recording.states[change.stream]
        recording.states[change.stream] = replace(known, state=state)
        if recording.completed is not None:
            recording.completed()

    count = task_numbers(row.org_id, event.project_id)
    recording.append.numbers += (OpenNumber(count, change.stream, fill),)


class _Encoding:
    """What the rows of one command have in common."""

    def __init__(self, log: EventLog, command: Command, context: Context, origin: Origin) -> None:
        self._name, self._context, self._origin = type(command).__name__, context, origin
        self.at = microseconds(context.now)

    def row(
        self, event: Event, place: tuple[OrgId, UUID, int], cipher: Cipher | None
    ) -> tuple[Row, EncodeAgain]:
        """Return the row of *event* at *place*: its organization, stream and version."""
        org_id, stream, version = place
        context, origin = self._context, self._origin
        metadata = Metadata(
            stream=stream,
            version=version,
            at=self.at,
            actor=context.actor,
            command=self._name,
            on_behalf_of=context.on_behalf_of,
            origin=origin.commitment,
            request_id=context.request_id,
            correlation_id=context.correlation_id,
            causation_id=context.causation_id,
        )
        return encode_open(event, metadata, org_id, origin, cipher)


def _origin(log: EventLog, context: Context, recording: Recording) -> Origin:
    subject = context.person
    if subject is None:
        return NOWHERE
    cipher = recording.ciphers.get(subject) or log.keys.cached(subject)
    command = (subject, microseconds(context.now))
    return seal_origin(context.ip, context.user_agent, cipher, command)


def _make_key(log: EventLog, subject: UUID, recording: Recording) -> None:
    cipher, wrapped = log.keys.make(subject)
    recording.ciphers[subject] = cipher
    recording.append.keys[subject] = wrapped


def _is_personal(change: Change) -> bool:
    return not SEALED_TYPES.isdisjoint(map(type, change.events))
