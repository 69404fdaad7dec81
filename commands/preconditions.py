"""What is checked for every command, whatever it decides: permission and If-Match."""

from commands.base import ChangedSince, Command, Context, NotPermitted
from commands.reads import Reads
from commands.recording import Recording
from domain.base import NotFound
from domain.identity.organization.state import Organization
from domain.permission import ROLE_PERMISSIONS
from eventstore.log import EventLog


async def check_permission(command: Command, context: Context, reads: Reads) -> None:
    """Refuse a caller whose role does not grant what the command needs.

    The role is read like any other state, so the append verifies that it still holds.

    :raises NotPermitted: the role grants less.
    :raises NotFound: the caller is no active member of the organization.
    """
    if command.needs is None:
        return
    organization = await reads(Organization, context.organization)
    role = organization.role_of(context.user_id)
    if role is None:
        raise NotFound
    if command.needs not in ROLE_PERMISSIONS[role]:
        raise NotPermitted(needs=command.needs)


async def refuse_if_changed_since(
    log: EventLog, command: Command, context: Context, recording: Recording
) -> None:
    """Refuse when a field that this command sets was changed after the If-Match version.

    The version is that of the command's target. Each field of an aggregate has an event of its
    own, so the tags say what was set.

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
            since = await log.stream(change.stream, context.if_match)
            tags = {str(event.__struct_config__.tag) for event in change.events}
            if any(recorded.tag in tags for recorded in since):
                raise ChangedSince(version=before)
