"""Commands over HTTP: run one, respond with the new state, keep the response for retries."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from api.http.request import ApiRequest
from api.http.response import ApiResponse, etag, id_in
from commands.base import Command, Context
from commands.handler import Receipt, Render
from commands.reading import Loaded
from domain.base import DomainError, OrgId
from domain.catalog import tag_of
from eventstore.append import ConcurrencyConflict, StoredReply

IDENTIFY_MAX = 5
"""How often the caller is identified again because their session or account changed meanwhile."""

Show = Callable[[Any, int, datetime], bytes]
"""Renders a state, given its version and the time of its last change."""

_encode = msgspec.json.Encoder().encode
_to_builtins = msgspec.to_builtins


class Reply(Struct, frozen=True, kw_only=True):
    """What the response to a command shows: the new state of *stream*, or nothing (204).

    A ``secret`` is shown only in this response; the copy kept for retries is encrypted.
    """

    stream: UUID
    show: Show | None = None
    status: int = 200
    location: str = ""
    org_id: OrgId | None = None
    secret: bool = False


async def run_command(request: ApiRequest, command: Command, wanted: Reply) -> ApiResponse:
    """Run *command* for the caller and return the response.

    :raises DomainError: a business rule refused it.
    :raises Problem: the caller is not, or no longer, allowed to send it.
    """
    caller = request.caller
    for attempt in range(1, IDENTIFY_MAX + 1):
        context = request.context(caller, wanted.org_id)
        try:
            receipt = await request.api.system.commands.handle(
                command, context, _render(request, wanted, context)
            )
        except ConcurrencyConflict as conflict:
            if conflict.stream not in context.seen or attempt == IDENTIFY_MAX:
                raise
            caller = await request.identify(fresh=True)
            continue
        except DomainError:
            # A refusal must not rest on an outdated caller or organization: read them again.
            known, caller = caller, await request.identify(fresh=True)
            if known.is_as(caller) or attempt == IDENTIFY_MAX:
                raise
            continue
        if receipt.position is None and not caller.fresh:
            await request.identify(fresh=True)
        return await _answer(request, receipt, wanted, context)
    raise AssertionError("the last attempt returns or raises")


async def _answer(
    request: ApiRequest, receipt: Receipt, wanted: Reply, context: Context
) -> ApiResponse:
    if context.dry_run:
        return would_record(receipt)
    if receipt.position is not None:
        request.api.writes.note(request.caller.user_id, receipt.position)
    if receipt.reply is not None:
        return _replayed(request, receipt.reply, wanted, context)
    body = await _shown(request, receipt, wanted, context)
    return _complete(body, wanted, receipt.states[wanted.stream].version, receipt.position)


async def _shown(request: ApiRequest, receipt: Receipt, wanted: Reply, context: Context) -> bytes:
    if wanted.show is None:
        return b""
    found = receipt.states[wanted.stream]
    at = await _changed_at(request, receipt, wanted.stream, found, context)
    return wanted.show(found.state, found.version, at)


def _render(request: ApiRequest, wanted: Reply, context: Context) -> Render | None:
    idempotency = context.idempotency
    if idempotency is None:
        return None

    async def render(receipt: Receipt) -> StoredReply:
        body = await _shown(request, receipt, wanted, context)
        if wanted.secret:
            body = request.api.system.keys.master.wrap(body, context.command_id)
        version = etag(receipt.states[wanted.stream].version).decode()
        return StoredReply(idempotency.request_hash, wanted.status, body, version, 0)

    return render


def _replayed(
    request: ApiRequest, reply: StoredReply, wanted: Reply, context: Context
) -> ApiResponse:
    body = reply.body
    if wanted.secret:
        body = request.api.system.keys.master.unwrap(body, context.command_id)
    version = int((reply.etag or "0").strip('"'))
    answer = _complete(body, wanted, version, reply.position or None)
    return answer.with_header(b"idempotent-replayed", b"true")


def _complete(body: bytes, wanted: Reply, version: int, position: int | None) -> ApiResponse:
    if not body:
        answer = ApiResponse(b"", 204)
    else:
        answer = ApiResponse(body, wanted.status, headers=[(b"etag", etag(version))])
    if position is not None:
        answer.with_header(b"x-position", b"%d" % position)
    if wanted.location:
        # From the body, not from the command: a retry's command has a new id.
        answer.with_header(b"location", f"{wanted.location}/{id_in(body)}".encode())
    return answer


async def _changed_at(
    request: ApiRequest, receipt: Receipt, stream: UUID, found: Loaded, context: Context
) -> datetime:
    """Return when the stream last changed: now, unless this command changed nothing."""
    if any(change.stream == stream for change in receipt.events):
        return context.now
    last = await request.api.system.log.stream(stream, found.version - 1)
    return last[-1].at


def would_record(receipt: Receipt) -> ApiResponse:
    """Return the response to a dry run: the events that the command would append."""
    events = [
        {"type": tag_of(event), "streamId": change.stream, "data": _data(event)}
        for change in receipt.events
        for event in change.events
    ]
    return ApiResponse(_encode({"events": events}))


def _data(event: Any) -> dict[str, Any]:
    data: dict[str, Any] = _to_builtins(event)
    data.pop("type")
    return data
