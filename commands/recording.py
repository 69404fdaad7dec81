"""A decision prepared for the log: encrypted rows, new keys and the resulting states."""

from typing import Any
from uuid import UUID

from msgspec import Struct

from commands.base import Change, Command, Context, Decision
from commands.reads import Reads
from commands.states import Loaded
from domain.base import PLATFORM, OrgId
from eventstore.append import Append, ConcurrencyConflict, Secret
from eventstore.codec import NOWHERE, PERSONAL, Cipher, Origin, encode, seal_origin
from eventstore.identifiers import new_id
from eventstore.log import EventLog
from eventstore.recorded import ActorKind, Metadata


class Recording(Struct):
    """What a command is about to write, and the resulting states of the streams."""

    append: Append
    states: dict[UUID, Loaded[Any]]
    changes: list[Change]
    ciphers: dict[UUID, Cipher]

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
        command_id=context.command_id,
        rows=[],
        expects={**context.seen, **expects},  # a missing permission is reported first
        keys={},
        secrets=secrets,
    )
    recording = Recording(append, {}, changes, {})
    if changes:
        await _fetch_keys(log, context, reads, changes)
        _encode_all(log, command, context, reads, recording)
    return recording


async def _fetch_keys(log: EventLog, context: Context, reads: Reads, changes: list[Change]) -> None:
    subjects = [c.stream for c in changes if reads.version(c.stream) and _is_personal(c)]
    if context.actor.kind is ActorKind.USER:
        subjects.append(context.actor.id)
    missing = [s for s in subjects if log.keys.cached(s) is None]
    if missing:
        await log.fetch_keys(missing)


def _encode_all(
    log: EventLog, command: Command, context: Context, reads: Reads, recording: Recording
) -> None:
    for change in recording.changes:
        if _is_personal(change) and log.keys.cached(change.stream) is None:
            _make_key(log, change.stream, recording)
    origin = _origin(log, context, recording)
    rows = recording.append.rows
    for change in recording.changes:
        kind, found = reads.loaded[change.stream]
        org_id = change.org_id or (PLATFORM if kind.platform else context.organization)
        state, version = found.state, found.version
        cipher = recording.ciphers.get(change.stream) or log.keys.cached(change.stream)
        for event in change.events:
            version += 1
            state = state.evolve(event)
            metadata = _metadata(command, context, origin, org_id, (change.stream, version))
            rows.append(encode(event, metadata, origin, cipher))
        recording.states[change.stream] = Loaded(state, version, org_id, context.now)
    rows[-1].command_id = context.command_id


def _origin(log: EventLog, context: Context, recording: Recording) -> Origin:
    if context.actor.kind is not ActorKind.USER:
        return NOWHERE
    subject = context.actor.id
    cipher = recording.ciphers.get(subject) or log.keys.cached(subject)
    return seal_origin(context.ip, context.user_agent, cipher, context.command_id)


def _make_key(log: EventLog, subject: UUID, recording: Recording) -> None:
    cipher, wrapped = log.keys.make(subject)
    recording.ciphers[subject] = cipher
    recording.append.keys[subject] = wrapped


def _is_personal(change: Change) -> bool:
    return any(PERSONAL[type(event)].encoded for event in change.events)


def _metadata(
    command: Command, context: Context, origin: Origin, org_id: OrgId, place: tuple[UUID, int]
) -> Metadata:
    return Metadata(
        id=new_id(),
        org_id=org_id,
        stream=place[0],
        version=place[1],
        at=context.now,
        actor=context.actor,
        command=type(command).__name__,
        command_id=context.command_id,
        ip=origin.ip,
        user_agent=origin.user_agent,
        request_id=context.request_id,
        correlation_id=context.correlation_id,
        causation_id=context.causation_id,
        idempotency_key=context.idempotency.key if context.idempotency else None,
    )
