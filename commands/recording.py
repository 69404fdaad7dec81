"""A decision prepared for the log: encrypted rows, new keys and the resulting states."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from commands.base import Change, Command, Context, Decision, KeyDestroyed
from commands.happening import Happening, Reservations, added_up
from commands.reads import Reads
from commands.reservations import RESERVING, is_open_number, note, task_numbers
from commands.states import Loaded
from domain.base import PLATFORM, Event, OrgId, State, UserId
from domain.identity.organization.membership import Role
from domain.work.task.events import TaskCreated, TaskMoved
from eventstore.append import Append, ConcurrencyConflict, Secret
from eventstore.claim import CountChange, OpenNumber
from eventstore.codec import (
    NOWHERE,
    SEALED_TYPES,
    Cipher,
    EncodeNumbered,
    Origin,
    encode,
    encode_open,
    seal_origin,
)
from eventstore.keys import key_owner
from eventstore.log import EventLog
from eventstore.recorded import Metadata, Row, microseconds

_PIECE = 25
"""Streams whose events are encoded before others get their turn."""


class Recording(Struct):
    """What a command is about to write.

    ``states`` are the streams that it read, those that it changes as they will be.
    """

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
    append = Append(
        rows=[],
        expects={**context.seen, **expects},  # a missing permission is reported first
        keys={},
        org_id=context.organization_or_platform,
        owners=_owners(log, context, reads),
        although_closed=command.although_closed,
    )
    if len(changes) < len(decision):
        append.secrets = tuple(part for part in decision if isinstance(part, Secret))
        append.counts = tuple(part for part in decision if isinstance(part, CountChange))
        append.destroyed = tuple(p.subject for p in decision if isinstance(p, KeyDestroyed))
    recording = Recording(append, reads.loaded.copy(), changes, {})
    if changes:
        sealed, person = _key_owners(changes, reads, context), context.person
        missing = _missing_keys(log, person, reads, sealed)
        if missing:
            await log.fetch_keys(missing)
        for subject in sealed:
            if log.keys.cached(subject) is None:
                cipher, append.keys[subject] = log.keys.make(subject)
                recording.ciphers[subject] = cipher
        at = microseconds(context.now)
        origin = NOWHERE if person is None else _origin(log, context, recording, (person, at))
        envelope = _Envelope(command, context, at, origin)
        await _encode_all(log, envelope, reads, recording)
    return recording


def _key_owners(changes: Iterable[Change], reads: Reads, context: Context) -> dict[UUID, OrgId]:
    """Return whose keys seal the personal values of *changes*, and where they are kept."""
    found: dict[UUID, OrgId] = {}
    for change in changes:
        for event in change.events:
            if type(event) in SEALED_TYPES:
                org_id = _owner_of(change, reads, context)
                subject, owner = key_owner(event, change.stream, org_id)
                found[subject] = owner
    return found


def _owner_of(change: Change, reads: Reads, context: Context) -> OrgId:
    if change.org_id is not None:
        return change.org_id
    return PLATFORM if reads.loaded[change.stream].state.platform else context.organization


def _missing_keys(
    log: EventLog, person: UserId | None, reads: Reads, sealed: Mapping[UUID, OrgId]
) -> dict[UUID, OrgId]:
    """Return the subjects whose existing keys have to be loaded, with their owners."""
    cached = log.keys.cached
    missing = {
        subject: owner
        for subject, owner in sealed.items()
        if cached(subject) is None and not reads.is_new(subject)
    }
    if person is not None and cached(person) is None:
        missing[person] = PLATFORM
    return missing


def _owners(log: EventLog, context: Context, reads: Reads) -> dict[UUID, OrgId]:
    if log.parts == 1:  # everything is in the same partition, whoever owns it
        return {}
    return {**context.seen_of_platform, **reads.owners}


async def _encode_all(
    log: EventLog, envelope: "_Envelope", reads: Reads, recording: Recording
) -> None:
    """Turn the changes into rows, claims and counts, and fold them into the new states."""
    context, origin = envelope.context, envelope.origin
    organization, fingerprint = reads.organization, log.keys.fingerprint
    plan = None if organization is None else organization.plan
    sees_all = organization is not None and organization.role_of(context.user_id) is Role.ADMIN
    rows, reserved = recording.append.rows, Reservations([], [])
    for index, change in enumerate(recording.changes):
        stream = change.stream
        found = reads.loaded[stream]
        org_id = _owner_of(change, reads, context)
        state, version, last = found.state, found.version, change.events[-1]
        for event in change.events:
            version += 1
            if (what := type(event)) in RESERVING:
                happened = Happening(
                    what, event, state, stream, org_id, envelope.at, plan, fingerprint, sees_all
                )
                note(happened, reserved)
            metadata, cipher = envelope.metadata(stream, version), None
            if type(event) in SEALED_TYPES:
                cipher = _cipher(log, recording, key_owner(event, stream, org_id)[0])
            if is_open_number(event):
                opened = encode_open(event, metadata, org_id, origin, cipher)
                rows.append(opened[0])
                _leave_open(recording, index, opened, state)
                if event is last:
                    break  # the state follows once the append has numbered it
            else:
                rows.append(encode(event, metadata, org_id, origin, cipher))
            state = state.evolve(event)
        recording.states[stream] = Loaded(state, version, org_id, context.now)
        if index % _PIECE == _PIECE - 1:  # a command on many streams lets others have their turn
            await asyncio.sleep(0)
    recording.append.claims = tuple(reserved.claims)
    recording.append.counts = added_up((*reserved.counts, *recording.append.counts))


def _leave_open(
    recording: Recording, index: int, encoded: tuple[Row, EncodeNumbered], initial: State
) -> None:
    """Let the append number the first event of a change and encode what shows the number."""
    change, (row, encode_numbered) = recording.changes[index], encoded
    event, *others = change.events
    assert isinstance(event, TaskCreated | TaskMoved)  # noqa: S101  only these have a number

    def fill(number: int) -> None:
        row.state = encode_numbered(number)
        numbered: list[Event] = [replace(event, number=number), *others]
        recording.changes[index] = Change(change.stream, numbered, change.org_id)
        state = initial
        for happened in numbered:
            state = state.evolve(happened)
        known = recording.states[change.stream]
        recording.states[change.stream] = replace(known, state=state)
        if recording.completed is not None:
            recording.completed()

    count = task_numbers(row.org_id, event.project_id)
    recording.append.numbers += (OpenNumber(count, change.stream, fill),)


class _Envelope:
    """What the envelopes of one command's events have in common."""

    def __init__(self, command: Command, context: Context, at: int, origin: Origin) -> None:
        self._command = type(command).__name__
        self.context, self.at, self.origin = context, at, origin

    def metadata(self, stream: UUID, version: int) -> Metadata:
        """Return the envelope of the event that gets *version* in *stream*."""
        context = self.context
        return Metadata(
            stream=stream,
            version=version,
            at=self.at,
            actor=context.actor,
            command=self._command,
            on_behalf_of=context.on_behalf_of,
            origin=self.origin.commitment,
            request_id=context.request_id,
            correlation_id=context.correlation_id,
            causation_id=context.causation_id,
        )


def _cipher(log: EventLog, recording: Recording, subject: UUID) -> Cipher | None:
    """Return the cipher of *subject*, new or known."""
    made = recording.ciphers.get(subject) if recording.ciphers else None
    return log.keys.cached(subject) if made is None else made


def _origin(
    log: EventLog, context: Context, recording: Recording, command: tuple[UserId, int]
) -> Origin:
    """Return where *command* came from, which is a person and the time, sealed with their key."""
    cipher = _cipher(log, recording, command[0])
    return seal_origin(context.ip, context.user_agent, cipher, command)
