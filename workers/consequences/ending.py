"""Ending: whatever an organization that is purged ever had is purged with it.

It is found in the log, where whatever was created in the organization has its first event, shown by
lists or not.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from commands.base import Command
from commands.identity.api_key import PurgeApiKeys
from commands.work.trash.purge import PurgeOfOrganization
from commands.work.trash.things import Thing
from domain.base import ApiKeyId, Event
from domain.catalog import tag_of
from domain.hooks.webhook.events import WebhookCreated
from domain.identity.api_key.events import ApiKeyCreated
from domain.identity.organization.membership import MemberInvited
from domain.planning.template.events import TemplateCreated
from domain.planning.view import ViewCreated
from domain.work.label import LabelCreated
from domain.work.project.events import ProjectCreated
from domain.work.team import TeamCreated
from domain.work.trash import TrashKind
from eventstore.recorded import Recorded
from runtime.system import System
from workers.consequences.base import READ_AT_ONCE

FollowUp = Callable[[Command, Recorded], Awaitable[None]]

_KINDS: dict[type[Event], TrashKind] = {
    ProjectCreated: TrashKind.PROJECT,
    TeamCreated: TrashKind.TEAM,
    LabelCreated: TrashKind.LABEL,
    WebhookCreated: TrashKind.WEBHOOK,
    ViewCreated: TrashKind.VIEW,
    TemplateCreated: TrashKind.TEMPLATE,
}
"""What an organization has; all else is in a project or a task."""
_CREATIONS = (*map(tag_of, _KINDS), tag_of(ApiKeyCreated), tag_of(MemberInvited))


async def purge_all_of(system: System, follow_up: FollowUp, ended: Recorded, part: int) -> None:
    """Purge everything that the organization which has *ended* ever had."""
    after = 0
    while rows := await system.log.tail_rows(after, READ_AT_ONCE, _CREATIONS, part):
        own = [row for row in rows if row.org_id == ended.org_id]
        await _purge(system, follow_up, ended, await system.log.decoded(own))
        after = rows[-1].position


async def _purge(
    system: System, follow_up: FollowUp, ended: Recorded, created: list[Recorded]
) -> None:
    """Purge what some events created, and destroy the keys of addresses that were invited."""
    things: list[Thing] = []
    keys: list[ApiKeyId] = []
    for each in created:
        event: Any = each.event
        if isinstance(event, MemberInvited):
            await system.log.destroy_key(event.invitation_id, each.org_id)
        elif isinstance(event, ApiKeyCreated):
            keys.append(ApiKeyId(each.stream_id))
        else:
            things.append(Thing(_KINDS[type(event)], each.stream_id))
    if things:
        await follow_up(PurgeOfOrganization(things=tuple(things)), ended)
    if keys:
        await follow_up(PurgeApiKeys(keys=tuple(keys)), ended)
