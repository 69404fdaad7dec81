"""The result of a command, and the response to it that is kept for retries with the same key."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct

from commands.base import Change
from commands.states import Loaded


class Response(Struct, frozen=True):
    """What a command answers, kept with an Idempotency-Key.

    ``version`` is that of the resource. ``secret`` is the body with what is shown only once, None
    if there is nothing of that kind; it is kept for a shorter time than ``body``.
    """

    status: int
    version: int
    body: bytes
    secret: bytes | None = None


class Receipt(Struct, frozen=True, kw_only=True):
    """The result of a command.

    ``position`` is the position of its last event, None without events; ``states`` are the streams
    that it read, as they are after it; ``events`` are those it recorded.
    ``repeated`` is the stored response, if an earlier request used the same Idempotency-Key.
    """

    position: int | None
    positions: Mapping[int, int] = {}
    states: dict[UUID, Loaded[Any]]
    events: list[Change]
    repeated: Response | None = None


Render = Callable[[Receipt], Response]
"""Renders the response that is kept with an Idempotency-Key, before the append."""
