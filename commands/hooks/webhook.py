"""Commands on webhooks."""

from datetime import timedelta
from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from commands.base import Change, Command, Context, Decision, changes_of
from commands.reads import Reads
from domain.base import WebhookId
from domain.catalog import events_covered_by
from domain.hooks.webhook.errors import SubscriptionNotAllowed
from domain.hooks.webhook.events import (
    DeliveryMode,
    PauseCause,
    WebhookCreated,
    WebhookDeleted,
    WebhookPaused,
    WebhookReplayRequested,
    WebhookRestored,
    WebhookResumed,
    WebhookSecretRotated,
    WebhookUpdated,
)
from domain.hooks.webhook.state import Webhook
from domain.permission import Permission
from eventstore.append import Secret

EventPattern = Annotated[str, Meta(max_length=100)]
Patterns = Annotated[tuple[EventPattern, ...], Meta(min_length=1, max_length=100)]
Url = Annotated[str, Meta(min_length=8, max_length=2048)]
WebhookDescription = Annotated[str, Meta(max_length=1_000)]

OLD_SECRET_LIFETIME = timedelta(hours=24)
"""How long the previous secret still signs after a rotation."""


def secret_name(version: int) -> str:
    """Return the name under which a webhook's secret is stored next to the log."""
    return f"webhook.{version}"


class CreateWebhook(Command, frozen=True, kw_only=True):
    """Subscribe a URL to events."""

    needs: ClassVar[Permission | None] = Permission.WEBHOOK_MANAGE
    sensitive = True
    records = (WebhookCreated,)
    webhook_id: WebhookId
    url: Url
    events: Patterns
    mode: DeliveryMode = DeliveryMode.ORDERED
    description: WebhookDescription | None = None
    private_projects: bool = False
    from_seq: int
    sealed_secret: bytes

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        _refuse_unknown(self.events)
        created = WebhookCreated(
            url=self.url,
            events=self.events,
            mode=self.mode,
            from_seq=self.from_seq,
            description=self.description,
            private_projects=self.private_projects,
        )
        events = read.new(Webhook, self.webhook_id).create(created)
        if not events:
            return []
        return [
            Change(self.webhook_id, events),
            Secret(self.webhook_id, secret_name(created.secret_version), self.sealed_secret),
        ]


class WebhookCommand(Command, frozen=True, kw_only=True):
    """A command on one webhook."""

    needs: ClassVar[Permission | None] = Permission.WEBHOOK_MANAGE
    webhook_id: WebhookId

    @property
    def target(self) -> UUID | None:
        return self.webhook_id


class EditWebhook(WebhookCommand, frozen=True, kw_only=True):
    """Change the URL, subscribed events, delivery mode or description of a webhook."""

    records = (WebhookUpdated,)
    url: Url | UnsetType = UNSET
    events: Patterns | UnsetType = UNSET
    mode: DeliveryMode | UnsetType = UNSET
    description: WebhookDescription | UnsetType | None = UNSET
    private_projects: bool | UnsetType = UNSET

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        if self.events is not UNSET:
            _refuse_unknown(self.events)
        webhook = await read(Webhook, self.webhook_id)
        updated = webhook.update(
            url=self.url,
            events=self.events,
            mode=self.mode,
            description=self.description,
            private_projects=self.private_projects,
        )
        return changes_of(self.webhook_id, updated)


class RotateWebhookSecret(WebhookCommand, frozen=True, kw_only=True):
    """Sign with a new secret; the previous one also signs for another 24 hours."""

    sensitive = True
    records = (WebhookSecretRotated,)
    sealed_secret: bytes

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        webhook = await read(Webhook, self.webhook_id)
        events = webhook.rotate_secret(context.now + OLD_SECRET_LIFETIME)
        return [
            Change(self.webhook_id, events),
            Secret(self.webhook_id, secret_name(webhook.secret_version + 1), self.sealed_secret),
        ]


class PauseWebhook(WebhookCommand, frozen=True, kw_only=True):
    """Pause deliveries until the webhook is resumed, and send the missed events then."""

    records = (WebhookPaused,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        webhook = await read(Webhook, self.webhook_id)
        return changes_of(self.webhook_id, webhook.pause(PauseCause.MANUAL))


class DisableWebhook(WebhookCommand, frozen=True, kw_only=True):
    """Pause a webhook whose receiver is gone or has failed for days; sent by a rule."""

    needs: ClassVar[Permission | None] = None
    records = (WebhookPaused,)
    cause: PauseCause

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        webhook = await read(Webhook, self.webhook_id)
        return changes_of(self.webhook_id, webhook.pause(self.cause))


class ResumeWebhook(WebhookCommand, frozen=True, kw_only=True):
    """Resume deliveries, starting with the events that were missed."""

    records = (WebhookResumed,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        webhook = await read(Webhook, self.webhook_id)
        return changes_of(self.webhook_id, webhook.resume())


class ReplayWebhook(WebhookCommand, frozen=True, kw_only=True):
    """Send a range of past events again, with the same ids."""

    records = (WebhookReplayRequested,)
    from_seq: int
    to_seq: int

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        webhook = await read(Webhook, self.webhook_id)
        return changes_of(self.webhook_id, webhook.replay(self.from_seq, self.to_seq))


class DeleteWebhook(WebhookCommand, frozen=True, kw_only=True):
    """Move a webhook to the trash; nothing more is sent to it."""

    records = (WebhookDeleted,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        webhook = await read(Webhook, self.webhook_id)
        return changes_of(self.webhook_id, webhook.delete())


class RestoreWebhook(WebhookCommand, frozen=True, kw_only=True):
    """Restore a webhook from the trash and send the events that it missed."""

    records = (WebhookRestored,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        webhook = await read(Webhook, self.webhook_id)
        return changes_of(self.webhook_id, webhook.restore())


def _refuse_unknown(patterns: tuple[str, ...]) -> None:
    unknown = [pattern for pattern in patterns if not events_covered_by(pattern)]
    if unknown:
        raise SubscriptionNotAllowed(unknown=unknown)
