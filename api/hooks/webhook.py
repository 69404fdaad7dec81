"""HTTP routes of webhooks; their deliveries are in ``delivery.py``."""

from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType

from api.description.event_schema import EVENT_KINDS, EventKind
from api.http.paging import list_json, one, wait_for_own_writes
from api.http.parameters import Page, nothing, shows, unchanged
from api.http.policy import needs
from api.http.problem import FieldError, invalid
from api.http.request import ApiRequest
from api.http.response import ApiResponse, json_response
from api.http.run_command import Reply, run_command
from commands.hooks.webhook import (
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
from domain.hooks.webhook.errors import ReplayRangeNotAllowed, SubscriptionNotAllowed
from domain.hooks.webhook.events import DeliveryMode
from domain.hooks.webhook.state import Webhook
from domain.identity.plan import PlanLimitReached
from domain.identity.session.errors import ReauthenticationRequired
from domain.permission import Permission
from eventstore.identifiers import new_id
from projections.hooks.webhook import WebhookView, render_webhook, webhooks_of
from security.signing import new_secret
from security.url_guard import UrlRefused

Seq = Annotated[int, Meta(ge=0, le=2**53)]


class NewWebhook(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a new webhook; without ``fromSeq`` it receives events from now on.

    With ``privateProjects`` it receives those of private projects, too.
    """

    url: Url
    events: Patterns
    mode: DeliveryMode = DeliveryMode.ORDERED
    description: WebhookDescription | None = None
    private_projects: bool = False
    from_seq: Seq | None = None


class WebhookChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a change; omitted fields stay as they are."""

    url: Url | UnsetType = UNSET
    events: Patterns | UnsetType = UNSET
    mode: DeliveryMode | UnsetType = UNSET
    description: WebhookDescription | UnsetType | None = UNSET
    private_projects: bool | UnsetType = UNSET


class ReplayRange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a replay: first and last sequence number of the organization, counted from 1."""

    from_seq: Seq
    to_seq: Seq | None = None


class NewWebhookView(WebhookView, frozen=True, kw_only=True):
    """A webhook with its signing secret, which a retry later than 10 minutes does not get."""

    secret: str | UnsetType = UNSET


def _shown(webhook_id: UUID, status: int = 200, secret: str | None = None) -> Reply:
    def show(webhook: Webhook, version: int, at: datetime) -> bytes:
        return render_webhook(webhook_id, webhook, version, at)

    def show_once(webhook: Webhook, version: int, at: datetime) -> bytes:
        shown = show(webhook, version, at)
        return b'%b,"secret":%b}' % (shown[:-1], msgspec.json.encode(secret))

    return Reply(
        stream=webhook_id,
        show=show,
        status=status,
        location="/api/webhook/{id}" if status == 201 else "",
        show_once=None if secret is None else show_once,
    )


async def _change(request: ApiRequest, command: WebhookCommand) -> ApiResponse:
    return await run_command(request, command, _shown(command.webhook_id))


def _refuse_unreachable(request: ApiRequest, url: str) -> None:
    try:
        request.api.system.guard.check_url(url)
    except UrlRefused as refused:
        raise invalid(FieldError("$.url", refused.reason)) from None


class WebhookController(Controller):
    """URLs that receive an organization's events as signed requests."""

    path = "/api/webhook"
    tags = ("Webhooks",)

    @post(
        "/",
        opt=needs(
            Permission.WEBHOOK_MANAGE,
            fails=(PlanLimitReached, ReauthenticationRequired, SubscriptionNotAllowed),
        ),
        responses=shows(NewWebhookView, 201),
    )
    async def create(self, request: ApiRequest, data: JSONBody[NewWebhook]) -> ApiResponse:
        """Subscribe a URL to events. The signing secret is shown only in this response."""
        _refuse_unreachable(request, data.url)
        system, webhook_id = request.api.system, WebhookId(new_id())
        secret, from_seq = new_secret(), data.from_seq
        if from_seq is None:
            from_seq = await system.log.organization_head(await request.own_organization())
        command = CreateWebhook(
            webhook_id=webhook_id,
            url=data.url,
            events=data.events,
            mode=data.mode,
            description=data.description,
            private_projects=data.private_projects,
            from_seq=from_seq,
            sealed_secret=system.keys.master.wrap(secret.encode(), webhook_id),
        )
        return await run_command(request, command, _shown(webhook_id, 201, secret))

    @get("/", opt=needs(Permission.WEBHOOK_READ), responses=shows(Page[WebhookView]))
    async def list_webhooks(self, request: ApiRequest) -> ApiResponse:
        """List the webhooks of the organization."""
        await wait_for_own_writes(request, "webhooks")
        found = await webhooks_of(request.api.models, request.organization)
        return ApiResponse(list_json(found.json, None))

    @get("/events", opt=needs(Permission.WEBHOOK_READ), responses=shows(Page[EventKind]))
    async def list_event_kinds(self, request: ApiRequest) -> ApiResponse:
        """List the events that a webhook can subscribe to, with the JSON Schema of their data."""
        return json_response(Page(EVENT_KINDS, None))

    @get(
        "/{webhook_id:uuid}",
        opt=needs(Permission.WEBHOOK_READ),
        responses=shows(WebhookView) | unchanged(),
    )
    async def get_webhook(self, request: ApiRequest, webhook_id: FromPath[UUID]) -> ApiResponse:
        """Return a webhook."""
        found = await request.newest(Webhook, webhook_id)
        found.state.refuse_unless_here()
        return one(request, found, partial(render_webhook, webhook_id))

    @patch(
        "/{webhook_id:uuid}",
        opt=needs(Permission.WEBHOOK_MANAGE, fails=(SubscriptionNotAllowed,)),
        responses=shows(WebhookView),
    )
    async def edit(
        self, request: ApiRequest, webhook_id: FromPath[UUID], data: JSONBody[WebhookChange]
    ) -> ApiResponse:
        """Change the URL, subscribed events, delivery mode or description of a webhook."""
        if data.url is not UNSET:
            _refuse_unreachable(request, data.url)
        command = EditWebhook(
            webhook_id=WebhookId(webhook_id),
            url=data.url,
            events=data.events,
            mode=data.mode,
            description=data.description,
            private_projects=data.private_projects,
        )
        return await _change(request, command)

    @delete(
        "/{webhook_id:uuid}",
        status_code=200,
        opt=needs(Permission.WEBHOOK_MANAGE),
        responses=nothing(),
    )
    async def remove(self, request: ApiRequest, webhook_id: FromPath[UUID]) -> ApiResponse:
        """Move a webhook to the trash. Nothing more is sent to it."""
        command = DeleteWebhook(webhook_id=WebhookId(webhook_id))
        return await run_command(request, command, Reply(stream=webhook_id))

    @post(
        "/{webhook_id:uuid}/rotate-secret",
        status_code=200,
        opt=needs(Permission.WEBHOOK_MANAGE, fails=(ReauthenticationRequired,)),
        responses=shows(NewWebhookView),
    )
    async def rotate_secret(self, request: ApiRequest, webhook_id: FromPath[UUID]) -> ApiResponse:
        """Sign with a new secret, shown only now. The old one also signs for another 24 hours."""
        secret = new_secret()
        sealed = request.api.system.keys.master.wrap(secret.encode(), webhook_id)
        command = RotateWebhookSecret(webhook_id=WebhookId(webhook_id), sealed_secret=sealed)
        return await run_command(request, command, _shown(webhook_id, secret=secret))

    @post(
        "/{webhook_id:uuid}/pause",
        status_code=200,
        opt=needs(Permission.WEBHOOK_MANAGE),
        responses=shows(WebhookView),
    )
    async def pause(self, request: ApiRequest, webhook_id: FromPath[UUID]) -> ApiResponse:
        """Pause deliveries. Events that happen meanwhile are sent after the webhook is resumed."""
        return await _change(request, PauseWebhook(webhook_id=WebhookId(webhook_id)))

    @post(
        "/{webhook_id:uuid}/resume",
        status_code=200,
        opt=needs(Permission.WEBHOOK_MANAGE),
        responses=shows(WebhookView),
    )
    async def resume(self, request: ApiRequest, webhook_id: FromPath[UUID]) -> ApiResponse:
        """Resume deliveries, starting with the events that were missed."""
        return await _change(request, ResumeWebhook(webhook_id=WebhookId(webhook_id)))

    @post(
        "/{webhook_id:uuid}/restore",
        status_code=200,
        opt=needs(Permission.WEBHOOK_MANAGE, fails=(PlanLimitReached,)),
        responses=shows(WebhookView),
    )
    async def restore(self, request: ApiRequest, webhook_id: FromPath[UUID]) -> ApiResponse:
        """Restore a webhook from the trash and send the events that it missed."""
        return await _change(request, RestoreWebhook(webhook_id=WebhookId(webhook_id)))

    @post(
        "/{webhook_id:uuid}/replay",
        status_code=202,
        opt=needs(Permission.WEBHOOK_MANAGE, fails=(ReplayRangeNotAllowed,)),
        responses=shows(WebhookView, 202, "The replay is recorded and will be sent soon"),
    )
    async def replay(
        self, request: ApiRequest, webhook_id: FromPath[UUID], data: JSONBody[ReplayRange]
    ) -> ApiResponse:
        """Send past events again under the same ids; without ``toSeq``, up to the newest event."""
        to_seq = data.to_seq
        if to_seq is None:
            own = await request.own_organization()
            to_seq = await request.api.system.log.organization_head(own)
        command = ReplayWebhook(
            webhook_id=WebhookId(webhook_id), from_seq=data.from_seq, to_seq=to_seq
        )
        return await run_command(request, command, _shown(webhook_id, 202))
