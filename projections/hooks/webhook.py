"""Webhooks as their owners see them: one document each, never with a secret."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from domain.base import OrgId, WebhookId
from domain.hooks.webhook.events import DeliveryMode, PauseCause, WebhookEvent
from domain.hooks.webhook.state import Webhook
from eventstore.recorded import Recorded
from projections.base import AggregateProjection, View, tags_of
from projections.engine.find import ReadModels
from projections.engine.query import ListSlice, Query
from projections.shape import Index, Value

_encode = msgspec.json.Encoder().encode


class WebhookStatus(StrEnum):
    """Whether a webhook is being sent to."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"


class WebhookView(View, frozen=True, kw_only=True):
    """A webhook as the API shows it; ``cause`` says why it is paused."""

    id: WebhookId
    url: str
    events: tuple[str, ...]
    mode: DeliveryMode
    description: str | None
    private_projects: bool
    status: WebhookStatus
    cause: PauseCause | None
    updated_at: datetime
    deleted_at: datetime | None
    version: int


def render_webhook(webhook_id: UUID, webhook: Webhook, version: int, updated_at: datetime) -> bytes:
    """Return the JSON of *webhook*, the same after a command as in a later GET."""
    view = WebhookView(
        id=WebhookId(webhook_id),
        url=webhook.url,
        events=webhook.events,
        mode=webhook.mode,
        description=webhook.description,
        private_projects=webhook.private_projects,
        status=WebhookStatus.PAUSED if webhook.paused else WebhookStatus.ACTIVE,
        cause=webhook.paused,
        updated_at=updated_at,
        deleted_at=updated_at if webhook.deleted else None,
        version=version,
    )
    return _encode(view)


class Webhooks(AggregateProjection[Webhook]):
    """Webhooks by id, and by organization in the order of their ids."""

    name = "webhooks"
    version = 4
    tags = tags_of(WebhookEvent)
    state = Webhook
    left_out = frozenset({"old_secrets"})
    indexes = (Index(("org", "deleted"), "id"),)

    def render(self, key: str, state: Webhook, recorded: Recorded) -> bytes:
        return render_webhook(recorded.stream_id, state, recorded.version, recorded.at)


WEBHOOKS_MAX = 200
"""As many as the largest plan allows."""


async def webhooks_of(models: ReadModels, org_id: OrgId) -> ListSlice:
    """Return all webhooks of the organization in the order of their ids."""
    where: dict[str, Value] = {"org": str(org_id), "deleted": False}
    query = Query(model="webhooks", where=where, sort="id", limit=WEBHOOKS_MAX)
    return await models.page(query)
