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
from eventstore.append import Append, ConcurrencyConflict, Redacted, Secret
from eventstore.claim import ClaimChange, CountChange, OpenNumber
from eventstore.codec import (
    NOWHERE,
    SEALED_TYPES,
    Cipher,
    EncodeNumbered,
    Origin,
    empty_row,
    fill_open,
    fill_row,
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
        append.claims = tuple(part for part in decision if isinstance(part, ClaimChange))
        append.counts = tuple(part for part in decision if isinstance(part, CountChange))
        append.destroyed = tuple(p.subject for p in decision if isinstance(p, KeyDestroyed))
        append.redacted = tuple(part for part in decision if isinstance(part, Redacted))
    recording = Recording(append, reads.loaded.copy(), changes, {})
    if changes:
        sealed, person = _key_owners(changes, reads, context), context.person
        if missing := _missing_keys(log, person, reads, sealed):
            await log.fetch_keys(missing)
        sealing = _Sealing(log, command, context, recording)
        if sealed:
            sealing.new_keys = [each for each in sealed if log.keys.cached(each) is None]
        await _note_all(sealing, reads)
        if len(changes) > _PIECE:
            await sealing.seal_in_pieces()
        else:
            append.seal = sealing.seal
    return recording


def _key_owners(changes: Iterable[Change], reads: Reads, context: Context) -> dict[UUID, OrgId]:
    """Return whose keys seal the personal values of *changes*, and where they are kept."""
    found: dict[UUID, OrgId] = {}
    for change in changes:
        for event in change.events:
            if type(event) in SEALED_TYPES:
                org_id = _owner_of(change, reads.loaded[change.stream], context)
                subject, owner = key_owner(event, change.stream, org_id)
                found[subject] = owner
    return found


def _owner_of(change: Change, found: Loaded[Any], context: Context) -> OrgId:
    if change.org_id is not None:
        return change.org_id
    return PLATFORM if found.state.platform else context.organization


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


async def _note_all(sealing: "_Sealing", reads: Reads) -> None:
    """Turn the changes into rows, claims and counts, and fold them into the new states."""
    context, recording, at = sealing.context, sealing.recording, sealing.at
    organization, fingerprint = reads.organization, sealing.log.keys.fingerprint
    plan = None if organization is None else organization.plan
    rows, reserved = recording.append.rows, Reservations([], [])
    once = len({change.stream for change in recording.changes}) == len(recording.changes)

    def sees_all() -> bool:
        return organization is not None and organization.role_of(context.user_id) is Role.ADMIN

    for index, change in enumerate(recording.changes):
        stream = change.stream
        found = recording.states[stream]  # as an earlier change of the same stream leaves it
        org_id = _owner_of(change, found, context)
        state, version, last = found.state, found.version, change.events[-1]
        for event in change.events:
            version += 1
            if (what := type(event)) in RESERVING:
                happened = Happening(
                    what, event, state, stream, org_id, at, plan, fingerprint, sees_all
                )
                note(happened, reserved)
            row = empty_row(event, stream, version, org_id, at)
            rows.append(row)
            if is_open_number(event):
                sealing.leave_open(row, index, state)
                if event is last and once:
                    break  # the state follows once the append has numbered it
            else:
                sealing.add(row, event)
            state = state.evolve(event)
        recording.states[stream] = Loaded(state, version, org_id, context.now)
        if index % _PIECE == _PIECE - 1:  # a command on many streams lets others have their turn
            await asyncio.sleep(0)
    recording.append.claims = (*reserved.claims, *recording.append.claims)
    recording.append.counts = added_up((*reserved.counts, *recording.append.counts))


Fill = Callable[[Row, Event, Metadata, Origin, Cipher | None], object]
"""Fills in the row of an event."""


class _Unsealed(Struct):
    """An event whose bytes are still to be made.

    ``subject`` is whose key seals its personal values, None if it has none; ``cipher`` is that key
    unless it is new.
    """

    row: Row
    event: Event
    subject: UUID | None
    cipher: Cipher | None
    fill: Fill


class _Sealing:
    """The events of one command, of which the bytes are still to be made.

    What is known of keys is what was known when the command decided.
    """

    def __init__(
        self, log: EventLog, command: Command, context: Context, recording: Recording
    ) -> None:
        self.log, self.context, self.recording = log, context, recording
        self.at = microseconds(context.now)
        self.new_keys: list[UUID] = []
        self._command = type(command).__name__
        self._person = person = context.person
        self._cipher = None if person is None else log.keys.cached(person)
        self._unsealed: list[_Unsealed] = []

    def add(self, row: Row, event: Event, fill: Fill = fill_row) -> None:
        """Let *fill* make the bytes of *event* later."""
        subject = cipher = None
        if type(event) in SEALED_TYPES:
            subject = key_owner(event, row.stream_id, row.org_id)[0]
            cipher = self.log.keys.cached(subject)
        self._unsealed.append(_Unsealed(row, event, subject, cipher, fill))

    def leave_open(self, row: Row, index: int, initial: State) -> None:
        """Let the append number the first event of a change and encode what shows the number."""
        recording = self.recording
        change = recording.changes[index]
        event, *others = change.events
        assert isinstance(event, TaskCreated | TaskMoved)  # noqa: S101  only these have a number
        encode_numbered: EncodeNumbered

        def seal(*parts: Any) -> None:
            nonlocal encode_numbered
            encode_numbered = fill_open(*parts)

        def fill(number: int) -> None:
            row.state = encode_numbered(number)
            numbered: list[Event] = [replace(event, number=number), *others]
            recording.changes[index] = Change(change.stream, numbered, change.org_id)
            state = initial
            for each in recording.changes[index:]:
                for happened in each.events if each.stream == change.stream else ():
                    state = state.evolve(happened)
            known = recording.states[change.stream]
            recording.states[change.stream] = replace(known, state=state)
            if recording.completed is not None:
                recording.completed()

        self.add(row, event, seal)
        count = task_numbers(row.org_id, event.project_id)
        recording.append.numbers += (OpenNumber(count, change.stream, fill),)

    def seal(self) -> None:
        """Make the keys of new subjects and the bytes of the rows."""
        self._make_keys()
        origin = self._origin()
        for each in self._unsealed:
            self._fill(each, origin)

    async def seal_in_pieces(self) -> None:
        """Seal many rows now, and let others have their turn."""
        self._make_keys()
        origin = self._origin()
        for index, each in enumerate(self._unsealed):
            self._fill(each, origin)
            if index % _PIECE == _PIECE - 1:
                await asyncio.sleep(0)

    def _make_keys(self) -> None:
        keys, ciphers = self.recording.append.keys, self.recording.ciphers
        for subject in self.new_keys:
            ciphers[subject], keys[subject] = self.log.keys.make(subject)

    def _origin(self) -> Origin:
        """Return where the command came from, sealed with the key of the person who asks."""
        person, context, ciphers = self._person, self.context, self.recording.ciphers
        if person is None:
            return NOWHERE
        made = ciphers.get(person) if ciphers else None
        cipher = self._cipher if made is None else made
        return seal_origin(context.ip, context.user_agent, cipher, (person, self.at))

    def _fill(self, unsealed: _Unsealed, origin: Origin) -> None:
        row, context = unsealed.row, self.context
        metadata = Metadata(
            stream=row.stream_id,
            version=row.version,
            at=self.at,
            actor=context.actor,
            command=self._command,
            on_behalf_of=context.on_behalf_of,
            origin=origin.commitment,
            request_id=context.request_id,
            correlation_id=context.correlation_id,
            causation_id=context.causation_id,
        )
        cipher = unsealed.cipher
        if cipher is None and unsealed.subject is not None:
            cipher = self.recording.ciphers.get(unsealed.subject)
        unsealed.fill(row, unsealed.event, metadata, origin, cipher)
