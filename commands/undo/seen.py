"""Whether the caller sees what an event is about, as everything is now."""

from commands.base import Context
from commands.reads import Reads
from commands.sight import refuse_unless_sees, refuse_unless_sees_id
from commands.undo.changed import RecalledEvent
from commands.work.task import refuse_unless_sees_task
from domain.base import NotFound, ProjectId, State
from domain.catalog import state_of, tag_of
from domain.event_permission import permission_to_read
from domain.hooks.webhook.state import Webhook
from domain.identity.api_key.state import ApiKey
from domain.identity.organization.state import Organization
from domain.permission import is_allowed
from domain.planning.view import SavedView
from domain.work.attachment import Attachment
from domain.work.comment import Comment
from domain.work.project.state import Project
from domain.work.relation import RelationAdded, RelationRemoved
from domain.work.team import Team

_RUNNING = (Organization, Webhook, ApiKey)
"""Kinds of streams that not every member may read about."""


async def is_seen(read: Reads, context: Context, recalled: RecalledEvent) -> bool:
    """Return whether the caller sees what an event is about, or did it themselves."""
    kind = state_of(type(recalled.event))
    if kind in _RUNNING:
        if recalled.by == context.user_id:
            return True
        role = (await read(Organization, context.organization)).role_of(context.user_id)
        return is_allowed(role, permission_to_read(tag_of(recalled.event)), context.scopes)
    try:
        await _refuse_unless_seen(read, context, recalled, kind)
    except NotFound:
        return False
    return True


async def _refuse_unless_seen(
    read: Reads, context: Context, recalled: RecalledEvent, kind: type[State]
) -> None:
    """Refuse a caller for whom what an event is about does not exist.

    :raises NotFound: it does not.
    """
    event = recalled.event
    if isinstance(event, RelationAdded | RelationRemoved):
        await refuse_unless_sees_task(read, context, event.from_)
        await refuse_unless_sees_task(read, context, event.to)
        return
    state = await read(kind, recalled.stream)
    if isinstance(state, Project):
        await refuse_unless_sees(read, context, state)
    elif isinstance(state, Comment | Attachment):
        if state.task_id is None:
            raise NotFound
        await refuse_unless_sees_task(read, context, state.task_id)
    elif not isinstance(state, Team):
        if isinstance(state, SavedView) and not state.is_there_for(context.user_id):
            raise NotFound
        project_id: ProjectId | None = getattr(state, "project_id", None)
        if project_id is not None:
            await refuse_unless_sees_id(read, context, project_id)
