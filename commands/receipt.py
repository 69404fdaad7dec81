"""The result of a command, and the reply that is stored for retries with the same key."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct

from commands.base import Change, Context
from commands.recording import Recording
from commands.states import Loaded
from eventstore.append import StoredReply


class Receipt(Struct, frozen=True, kw_only=True):
    """The result of a command.

    ``position`` is the position of its last event, None without events; ``states`` are the streams
    that it changed (or found unchanged) with their new versions; ``events`` are those it recorded.
    """

    position: int | None
    positions: Mapping[int, int] = {}
    states: dict[UUID, Loaded[Any]]
    events: list[Change]
    reply: StoredReply | None = None


Render = Callable[[Receipt], StoredReply]
"""Renders the reply that is stored with an Idempotency-Key, before the append."""


def add_reply(
    recording: Recording, context: Context, render: Render | None, receipt: Receipt
) -> bool:
    """Add the reply to the append if the command has a key; return whether it has one."""
    if context.idempotency is None or render is None:
        return False
    append = recording.append
    append.reply_key = context.idempotency.reply_key

    def reply() -> None:
        append.reply = render(receipt)

    recording.completed = reply
    if not append.numbers:  # otherwise the append fills it in once it knows the number
        reply()
    return True
