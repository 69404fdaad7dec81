"""Commands over HTTP: run one, respond with the new state, keep the response for retries."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from api.http.caller import Caller
from api.http.log_position import shown_position
from api.http.request import ApiRequest
from api.http.response import ApiResponse, etag, id_in
from commands.access import RecordDeniedAccess
from commands.base import AlreadyRan, Command, Context
from commands.receipt import Receipt, Render, Response
from commands.states import Loaded
from domain.base import PLATFORM, DomainError, OrgId, Refusal
from domain.catalog import tag_of
from eventstore.append import ConcurrencyConflict, LogUnavailable
from eventstore.event_json import event_data, unrecorded_json

IDENTIFY_MAX = 5
"""How often the caller is identified again because their session or account changed meanwhile."""

Show = Callable[[Any, int, datetime], bytes]
"""Renders a state, given its version and the time of its last change."""

_logger = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode


class Reply(Struct, frozen=True, kw_only=True):
    """What the response to a command shows: the new state of *stream*, or nothing (204).

    Without a stream it shows nothing, as for a command on many.

    ``adapt`` changes what is shown by what else the command has read.

    ``{id}`` in ``location`` stands for the id of the shown resource. ``show_once`` shows it with a
    secret, which a later retry does not get. ``tagged`` is False for a resource whose GET has no
    ETag. ``version`` is the version of a part of the stream that has one of its own.

    For a command on many streams, ``whole`` shows what it did, and ``dry`` returns what a dry run
    shows beside the events.
    """

    stream: UUID | None
    show: Show | None = None
    adapt: Callable[[Any, Mapping[UUID, Loaded[Any]]], Any] | None = None
    status: int = 200
    location: str = ""
    org_id: OrgId | None = None
    show_once: Show | None = None
    tagged: bool = True
    version: Callable[[Any], int] | None = None
    whole: Render | None = None
    dry: Callable[[], dict[str, Any]] | None = None


async def run_command(request: ApiRequest, command: Command, reply: Reply) -> ApiResponse:
    """Run *command* for the caller and return the response.

    :raises DomainError: a business rule refused it.
    :raises Problem: the caller is not, or no longer, allowed to send it.
    """

    async def run(caller: Caller) -> tuple[Receipt, Context]:
        context = request.context(caller, reply.org_id)
        return await _handle(request, command, reply, context), context

    receipt, context = await as_caller(request, run)
    return _answer(request, receipt, reply, context)


async def run_without_reply(
    request: ApiRequest, command: Command, org_id: OrgId | None = None, *, key: bool = False
) -> Receipt:
    """Run *command* for the caller, and return what it did.

    For responses with tokens, which are never kept: an Idempotency-Key has no effect or, with
    *key*, can be used only once. *org_id* is as in ``Reply``.

    :raises DomainError: a business rule refused it.
    :raises Problem: the caller is not, or no longer, allowed to send it.
    """

    async def run(caller: Caller) -> tuple[Receipt, Context]:
        context = request.context(caller, org_id)
        if not key:
            context = replace(context, idempotency=None)
        return await request.api.system.commands.handle(command, context), context

    receipt, _ = await as_caller(request, run)
    return receipt


async def as_caller(
    request: ApiRequest, run: Callable[[Caller], Awaitable[tuple[Receipt, Context]]]
) -> tuple[Receipt, Context]:
    """Run a command for the caller, who is identified again if they changed meanwhile."""
    caller = request.caller
    for attempt in range(1, IDENTIFY_MAX + 1):
        try:
            receipt, context = await run(caller)
        except ConcurrencyConflict as conflict:
            if conflict.stream not in caller.seen or attempt == IDENTIFY_MAX:
                raise
            caller = await request.identify(fresh=True)
            continue
        except DomainError as refused:
            # A refusal must not rest on an outdated caller or organization: read them again.
            known, caller = caller, await request.identify(fresh=True)
            if known.is_as(caller) or attempt == IDENTIFY_MAX:
                if refused.refusal is Refusal.FORBIDDEN:
                    await note_denied(request, str(refused.details.get("needs", refused.code)))
                raise
            continue
        if receipt.position is None and not caller.fresh:
            await request.identify(fresh=True)
        return receipt, context
    raise AssertionError("the last attempt returns or raises")


async def note_denied(request: ApiRequest, missing: str) -> None:
    """Record that the caller's role did not allow a request, with others of the same minute."""
    api, caller = request.api, request.caller
    if caller.org_id is None:
        return
    count = api.denials.add((caller.org_id, caller.user_id, missing), api.system.clock())
    if not count:
        return
    context = replace(
        request.context(caller),
        idempotency=None,
        if_match=None,
        dry_run=False,
        scopes=None,  # it is no act of the API key that was refused, if one was
    )
    try:
        await api.system.commands.handle(RecordDeniedAccess(missing=missing, count=count), context)
    except (DomainError, ConcurrencyConflict, LogUnavailable) as error:
        _logger.warning("a denied access of %s was not recorded: %s", caller.user_id, error)


async def run_command_as(
    request: ApiRequest, command: Command, reply: Reply, context: Context
) -> ApiResponse:
    """Run *command* in a context of its own, as for somebody who has no session yet.

    :raises DomainError: a rule refused it.
    """
    receipt = await _handle(request, command, reply, context)
    return _answer(request, receipt, reply, context)


async def _handle(request: ApiRequest, command: Command, reply: Reply, context: Context) -> Receipt:
    render = _render(reply, context)
    try:
        return await request.api.system.commands.handle(command, context, render)
    except AlreadyRan as error:
        if error.position:
            error.details["position"] = _shown_position(request, error.position)
        raise


def _render(reply: Reply, context: Context) -> Render | None:
    if context.idempotency is None:
        return None
    return lambda receipt: _response(receipt, reply)


def _answer(request: ApiRequest, receipt: Receipt, reply: Reply, context: Context) -> ApiResponse:
    if context.dry_run:
        return _would_record(receipt, {} if reply.dry is None else reply.dry())
    response = receipt.repeated or _response(receipt, reply)
    answer = _complete(response, reply)
    if receipt.repeated is not None:  # the events have the correlation id of the first request
        answer.with_header(b"idempotent-replayed", b"true")
        return _positioned(request, answer, receipt.position)
    answer.with_header(b"x-correlation-id", request.client_info.correlation.encode())
    position = receipt.positions.get(request.api.system.log.part(context.org_id or PLATFORM))
    return _positioned(request, answer, position)


def _response(receipt: Receipt, reply: Reply) -> Response:
    if reply.whole is not None:
        return reply.whole(receipt)
    if reply.stream is None:
        return Response(204, 0, b"", None)
    found = receipt.states[reply.stream]
    body, secret, state = b"", None, found.state
    if reply.adapt is not None:
        state = reply.adapt(state, receipt.states)
    if found.at is not None and reply.show is not None:
        body = reply.show(state, found.version, found.at)
    if found.at is not None and reply.show_once is not None:
        secret = reply.show_once(state, found.version, found.at)
    version = found.version if reply.version is None else reply.version(found.state)
    return Response(reply.status if body else 204, version, body, secret)


def _complete(response: Response, reply: Reply) -> ApiResponse:
    body = response.body if response.secret is None else response.secret
    answer = ApiResponse(body, response.status)
    if body and reply.tagged:
        answer.with_header(b"etag", etag(response.version))
    if reply.location:
        # From the body, not from the command: a retry's command has a new id.
        answer.with_header(b"location", reply.location.format(id=id_in(body)).encode())
    return answer


def _positioned(request: ApiRequest, answer: ApiResponse, position: int | None) -> ApiResponse:
    """Add how far the partition of the caller's organization was, if this wrote to it."""
    if position:
        answer.with_header(b"x-position", b"%d" % _shown_position(request, position))
    return answer


def _shown_position(request: ApiRequest, position: int) -> int:
    log = request.api.system.log
    return shown_position(position, log.parts, log.epoch)


def _would_record(receipt: Receipt, beside: dict[str, Any]) -> ApiResponse:
    """Return the response to a dry run: the events that the command would append."""
    events: list[dict[str, Any]] = []
    versions = {stream: found.version for stream, found in receipt.states.items()}
    for change in receipt.events:
        versions[change.stream] -= len(change.events)
    for change in receipt.events:
        for event in change.events:
            versions[change.stream] += 1
            version, told = versions[change.stream], event_data(event)
            events.append(unrecorded_json(tag_of(event), change.stream, version, told))
    return ApiResponse(_encode({"events": events, **beside}))
