"""If-Match: a change is refused if somebody else has changed the same field since."""

from commands.base import ChangedSince, Command, Context
from commands.recording import Recording
from eventstore.log import EventLog


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
            since = await log.stream(change.stream, context.organization, context.if_match)
            keys = {key for event in change.events for key in event.field_keys()}
            if any(keys.intersection(recorded.event.field_keys()) for recorded in since):
                raise ChangedSince(version=before)
