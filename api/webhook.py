"""HTTP for webhooks; what was sent to them has routes of its own."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType

from api.answer import Answer, json_answer
from api.asking import Asking
from api.commanding import Wanted, perform
from api.event_schema import EVENT_KINDS, EventKindList
from api.policy import needs
from api.problem import FieldError, invalid
from api.reading import joined, one, own_writes_in
from api.route import nothing, shows
from commands.webhook import (
    CreateWebhook,
    DeleteWebhook,
    EditWebhook,
    Patterns,
    PauseWebhook,
    ReplayWebhook,
    RestoreWebhook,
    ResumeWebhook,
    RotateWebhookSecret,
    Url,
    WebhookCommand,
    WebhookDescription,
)
from domain.base import WebhookId
from domain.permission import Permission
from domain.webhook import DeliveryMode, Webhook
from eventstore.identifiers import new_id
from projections.webhook import WebhookView, render_webhook
from security.signing import new_secret
from security.url_guard import UrlRefused

Seq = Annotated[int, Meta(ge=0, le=2**53)]


class NewWebhook(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a new webhook; without ``fromSeq`` it is told what happens from now on."""

    url: Url
    events: Patterns
    mode: DeliveryMode = DeliveryMode.ORDERED
    description: WebhookDescription | None = None
    from_seq: Seq | None = None


class WebhookChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a change; fields that are left out stay as they are."""

    url: Url | UnsetType = UNSET
    events: Patterns | UnsetType = UNSET
    mode: DeliveryMode | UnsetType = UNSET
    description: WebhookDescription | UnsetType | None = UNSET


class Replay(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a replay: first and last event of the organization's sequence, counted from 1."""

    from_seq: Seq
    to_seq: Seq | None = None


class NewWebhookView(WebhookView, frozen=True, kw_only=True):
    """A webhook with its signing secret, which is shown this once."""

    secret: str


class WebhookList(Struct, frozen=True, rename="camel"):
    """All webhooks of an organization."""

    items: list[WebhookView]
    next_cursor: str | None


def _shown(webhook_id: UUID, status: int = 200, secret: str | None = None) -> Wanted:
    def show(webhook: Webhook, version: int, at: object) -> bytes:
        body = render_webhook(webhook_id, webhook, version, at)  # type: ignore[arg-type]
        if secret is None:
            return body
        return b'%b,"secret":%b}' % (body[:-1], msgspec.json.encode(secret))

    location = "/api/webhook" if status == 201 else ""
    return Wanted(
        stream=webhook_id, show=show, status=status, location=location, secret=secret is not None
    )


async def _change(asking: Asking, command: WebhookCommand) -> Answer:
    return await perform(asking, command, _shown(command.webhook_id))


def _refuse_unreachable(asking: Asking, url: str) -> None:
    try:
        asking.door.house.guard.check_url(url)
    except UrlRefused as refused:
        raise invalid(FieldError("$.url", refused.reason)) from None


class WebhookController(Controller):
    """Addresses that are told, signed, what happened."""

    path = "/api/webhook"
    tags = ("Webhooks",)

    @post("/", opt=needs(Permission.WEBHOOK_MANAGE), responses=shows(NewWebhookView, 201))
    async def create(self, request: Asking, data: JSONBody[NewWebhook]) -> Answer:
        """Ask to be told about events at an address of yours; the secret is shown only now."""
        _refuse_unreachable(request, data.url)
        house, webhook_id = request.door.house, WebhookId(new_id())
        secret, from_seq = new_secret(), data.from_seq
        if from_seq is None:
            from_seq = await house.log.organization_head(await request.own_organization())
        command = CreateWebhook(
            webhook_id=webhook_id,
            url=data.url,
            events=data.events,
            mode=data.mode,
            description=data.description,
            from_seq=from_seq,
            sealed_secret=house.keys.master.wrap(secret.encode(), webhook_id),
        )
        return await perform(request, command, _shown(webhook_id, 201, secret))

    @get("/", opt=needs(Permission.WEBHOOK_READ), responses=shows(WebhookList))
    async def list_webhooks(self, request: Asking) -> Answer:
        """List the webhooks of the organization."""
        await own_writes_in(request, "webhooks")
        return Answer(joined(await request.door.queries.webhooks_of(request.organization), None))

    @get("/events", opt=needs(Permission.WEBHOOK_READ), responses=shows(EventKindList))
    async def list_events(self, request: Asking) -> Answer:
        """List the events that a webhook can ask for, with the JSON Schema of their data."""
        return json_answer(EVENT_KINDS)

    @get("/{webhook_id:uuid}", opt=needs(Permission.WEBHOOK_READ), responses=shows(WebhookView))
    async def get_webhook(self, request: Asking, webhook_id: FromPath[UUID]) -> Answer:
        """Return a webhook."""
        await own_writes_in(request, "webhooks")
        found = await request.door.queries.webhook(request.organization, WebhookId(webhook_id))
        return one(request, found)

    @patch("/{webhook_id:uuid}", opt=needs(Permission.WEBHOOK_MANAGE), responses=shows(WebhookView))
    async def edit(
        self, request: Asking, webhook_id: FromPath[UUID], data: JSONBody[WebhookChange]
    ) -> Answer:
        """Change where a webhook goes, what it listens to or how it sends."""
        if data.url is not UNSET:
            _refuse_unreachable(request, data.url)
        command = EditWebhook(
            webhook_id=WebhookId(webhook_id),
            url=data.url,
            events=data.events,
            mode=data.mode,
            description=data.description,
        )
        return await _change(request, command)

    @delete(
        "/{webhook_id:uuid}",
        status_code=200,
        opt=needs(Permission.WEBHOOK_MANAGE),
        responses=nothing(),
    )
    async def remove(self, request: Asking, webhook_id: FromPath[UUID]) -> Answer:
        """Put a webhook in the trash; nothing is sent any more."""
        command = DeleteWebhook(webhook_id=WebhookId(webhook_id))
        return await perform(request, command, Wanted(stream=webhook_id))

    @post(
        "/{webhook_id:uuid}/rotate-secret",
        status_code=200,
        opt=needs(Permission.WEBHOOK_MANAGE),
        responses=shows(NewWebhookView),
    )
    async def rotate_secret(self, request: Asking, webhook_id: FromPath[UUID]) -> Answer:
        """Sign with a new secret, shown only now; the former one signs too for 24 hours."""
        secret = new_secret()
        sealed = request.door.house.keys.master.wrap(secret.encode(), webhook_id)
        command = RotateWebhookSecret(webhook_id=WebhookId(webhook_id), sealed_secret=sealed)
        return await perform(request, command, _shown(webhook_id, secret=secret))

    @post(
        "/{webhook_id:uuid}/pause",
        status_code=200,
        opt=needs(Permission.WEBHOOK_MANAGE),
        responses=shows(WebhookView),
    )
    async def pause(self, request: Asking, webhook_id: FromPath[UUID]) -> Answer:
        """Send nothing until resumed; what happens meanwhile is sent then."""
        return await _change(request, PauseWebhook(webhook_id=WebhookId(webhook_id)))

    @post(
        "/{webhook_id:uuid}/resume",
        status_code=200,
        opt=needs(Permission.WEBHOOK_MANAGE),
        responses=shows(WebhookView),
    )
    async def resume(self, request: Asking, webhook_id: FromPath[UUID]) -> Answer:
        """Send again, beginning with what was missed."""
        return await _change(request, ResumeWebhook(webhook_id=WebhookId(webhook_id)))

    @post(
        "/{webhook_id:uuid}/restore",
        status_code=200,
        opt=needs(Permission.WEBHOOK_MANAGE),
        responses=shows(WebhookView),
    )
    async def restore(self, request: Asking, webhook_id: FromPath[UUID]) -> Answer:
        """Bring a webhook back from the trash; what it missed is sent."""
        return await _change(request, RestoreWebhook(webhook_id=WebhookId(webhook_id)))

    @post(
        "/{webhook_id:uuid}/replay",
        status_code=202,
        opt=needs(Permission.WEBHOOK_MANAGE),
        responses=shows(WebhookView, 202, "The replay is recorded and will be sent"),
    )
    async def replay(
        self, request: Asking, webhook_id: FromPath[UUID], data: JSONBody[Replay]
    ) -> Answer:
        """Send events of the past once more, under the same ids; without ``toSeq`` up to now."""
        to_seq = data.to_seq
        if to_seq is None:
            own = await request.own_organization()
            to_seq = await request.door.house.log.organization_head(own)
        command = ReplayWebhook(
            webhook_id=WebhookId(webhook_id), from_seq=data.from_seq, to_seq=to_seq
        )
        return await perform(request, command, _shown(webhook_id, 202))
