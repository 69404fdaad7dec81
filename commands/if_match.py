"""If-Match: a change is refused if somebody else has changed the same field since."""

from collections.abc import AsyncGenerator
from uuid import UUID

from commands.base import ChangedSince, Command, Context
from commands.recording import Recording
from eventstore.engine.turns import STREAM_PIECE
from eventstore.log import EventLog
from eventstore.recorded import Recorded


async def refuse_if_changed_since(
    log: EventLog, command: Command, context: Context, recording: Recording
) -> None:
    """Refuse if a field that this command sets has changed since the If-Match version.

    The version is that of the command's target. Events name the fields that they change, or the
    part of a field: two people can be assigned at once.

    :raises ChangedSince: somebody changed the same field, or there is no such version yet.
    """
    if context.if_match is None:
        return
    for change in recording.changes:
        if change.stream != command.target:
            continue
        before = recording.append.expects[change.stream]
        if before < context.if_match:
            raise ChangedSince(version=before)
        if before > context.if_match:
            keys = {key for event in change.events for key in event.field_keys()}
            async for recorded in _since(log, change.stream, context, context.if_match):
                if keys.intersection(recorded.event.field_keys()):
                    raise ChangedSince(version=before)


async def _since(
    log: EventLog, stream: UUID, context: Context, version: int
) -> AsyncGenerator[Recorded]:
    """Yield the events of *stream* after *version*; many of them in pieces, in turns."""
    while True:
        async with log.turns:
            some = await log.stream(stream, context.organization, version, STREAM_PIECE)
        for recorded in some:
            yield recorded
        if len(some) < STREAM_PIECE:
            return
        version = some[-1].version
