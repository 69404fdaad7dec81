"""Commands over HTTP: run one, answer with the new state, keep the answer for a retry."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from api.answer import Answer, etag, id_in
from api.asking import Asking
from api.problem import Problem
from commands.base import Command, Context
from commands.handler import Receipt, Render
from commands.reading import Loaded
from domain.base import DomainError, OrgId
from domain.catalog import tag_of
from eventstore.append import ConcurrencyConflict, StoredReply

LET_IN_MAX = 5
"""Times a caller is looked up again because their session or account changed meanwhile."""

Show = Callable[[Any, int, datetime], bytes]
"""Renders a state at a version, last changed then."""

_encode = msgspec.json.Encoder().encode
_to_builtins = msgspec.to_builtins


class Wanted(Struct, frozen=True, kw_only=True):
    """What the answer to a command shows: the new state of *stream*, or nothing (204).

    A ``secret`` is shown in this answer only: what is stored for retries is sealed.
    """

    stream: UUID
    show: Show | None = None
    status: int = 200
    location: str = ""
    org_id: OrgId | None = None
    secret: bool = False


async def perform(asking: Asking, command: Command, wanted: Wanted) -> Answer:
    """Run *command* for whoever asks and return the answer.

    :raises DomainError: a rule refused it.
    :raises Problem: who asks may not, or no longer.
    """
    caller = asking.caller
    for attempt in range(1, LET_IN_MAX + 1):
        context = asking.context(caller, wanted.org_id)
        try:
            receipt = await asking.door.house.commands.handle(
                command, context, _render(asking, wanted, context)
            )
        except ConcurrencyConflict as conflict:
            if conflict.stream not in context.seen or attempt == LET_IN_MAX:
                raise
            caller = await asking.let_in(fresh=True)
            continue
        except DomainError:
            # A refusal goes out only to somebody, and about an organization, looked up just now.
            known, caller = caller, await asking.let_in(fresh=True)
            if known.is_as(caller) or attempt == LET_IN_MAX:
                raise
            continue
        if receipt.position is None and not caller.fresh:
            await asking.let_in(fresh=True)
        return await _answer(asking, receipt, wanted, context)
    raise AssertionError("the last attempt returns or raises")


async def _answer(asking: Asking, receipt: Receipt, wanted: Wanted, context: Context) -> Answer:
    if context.dry_run:
        return would_record(receipt)
    if receipt.position is not None:
        asking.door.writes.note(asking.caller.user_id, receipt.position)
    if receipt.reply is not None:
        return _replayed(asking, receipt.reply, wanted, context)
    body = await _shown(asking, receipt, wanted, context)
    return _complete(body, wanted, receipt.states[wanted.stream].version, receipt.position)


async def _shown(asking: Asking, receipt: Receipt, wanted: Wanted, context: Context) -> bytes:
    if wanted.show is None:
        return b""
    found = receipt.states[wanted.stream]
    at = await _changed_at(asking, receipt, wanted.stream, found, context)
    return wanted.show(found.state, found.version, at)


def _render(asking: Asking, wanted: Wanted, context: Context) -> Render | None:
    idempotency = context.idempotency
    if idempotency is None:
        return None

    async def render(receipt: Receipt) -> StoredReply:
        body = await _shown(asking, receipt, wanted, context)
        if wanted.secret:
            body = asking.door.house.keys.master.wrap(body, context.command_id)
        version = etag(receipt.states[wanted.stream].version).decode()
        return StoredReply(idempotency.request_hash, wanted.status, body, version, 0)

    return render


def _replayed(asking: Asking, reply: StoredReply, wanted: Wanted, context: Context) -> Answer:
    body = reply.body
    if wanted.secret:
        body = asking.door.house.keys.master.unwrap(body, context.command_id)
    version = int((reply.etag or "0").strip('"'))
    answer = _complete(body, wanted, version, reply.position or None)
    return answer.with_header(b"idempotent-replayed", b"true")


def _complete(body: bytes, wanted: Wanted, version: int, position: int | None) -> Answer:
    if not body:
        answer = Answer(b"", 204)
    else:
        answer = Answer(body, wanted.status, headers=[(b"etag", etag(version))])
    if position is not None:
        answer.with_header(b"x-position", b"%d" % position)
    if wanted.location:
        # By the body, not by the command: a retry's command has made up another id.
        answer.with_header(b"location", f"{wanted.location}/{id_in(body)}".encode())
    return answer


async def _changed_at(
    asking: Asking, receipt: Receipt, stream: UUID, found: Loaded, context: Context
) -> datetime:
    """Return when the shown stream last changed: now, unless this command changed nothing."""
    if any(change.stream == stream for change in receipt.events):
        return context.now
    last = await asking.door.house.log.stream(stream, found.version - 1)
    return last[-1].at


def would_record(receipt: Receipt) -> Answer:
    """Return what a dry run shows: the events that the command would append."""
    events = [
        {"type": tag_of(event), "streamId": change.stream, "data": _data(event)}
        for change in receipt.events
        for event in change.events
    ]
    return Answer(_encode({"events": events}))


def _data(event: Any) -> dict[str, Any]:
    data: dict[str, Any] = _to_builtins(event)
    data.pop("type")
    return data


__all__ = ["Problem", "Wanted", "perform"]
