"""Reads over HTTP: waiting for what was recorded, single resources, pages of lists."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec

from api.http.log_position import asked_position
from api.http.problem import camel, malformed, not_found
from api.http.request import ApiRequest
from api.http.response import ApiResponse, conditional
from commands.states import Loaded
from domain.base import OrgId
from projections.base import text_of
from projections.engine.query import ListSlice
from security.cursors import InvalidCursor

S = TypeVar("S")
LIMIT_DEFAULT, LIMIT_MAX = 50, 100
BODIES_MAX, BODIES_BYTES_MAX = 64, 8 * 2**20
"""How many pages a process keeps with their responses, and how large they may be together."""


async def wait_for_own_writes(request: ApiRequest, *names: str) -> None:
    """Wait until the read models *names* include what the caller's organization has recorded.

    The log tells how far that is, so it holds for what came through another process, too. They also
    include X-Min-Position.

    :raises Problem: 503 if that takes too long.
    """
    caller, api = request.caller, request.api
    log = api.system.log
    asked = request.min_position()
    wanted = asked_position(asked, log.parts, log.epoch) if asked else 0
    recorded: dict[OrgId, int] = {}
    for name in names:
        owner = api.owner_of(name, caller.org_id)
        if owner not in recorded:
            recorded[owner] = await log.newest_position(owner)
        own = wanted if owner == caller.org_id else 0
        await api.caught_up(name, max(recorded[owner], own), log.part(owner))


async def wait_for_all_writes(request: ApiRequest, name: str) -> None:
    """Wait until the read model *name* includes what all organizations have recorded.

    :raises Problem: 503 if that takes too long.
    """
    log = request.api.system.log
    for part in range(log.parts):
        await request.api.caught_up(name, await log.last_position(part), part)


def one(
    request: ApiRequest,
    found: Loaded[S],
    show: Callable[[S, int, datetime], bytes],
    *,
    derived: bool = False,
) -> ApiResponse:
    """Return the response with one resource as it is now, or 304.

    With *derived* members, which change without a new version, it is never 304.

    :raises Problem: 404 if it was never created.
    """
    if found.at is None:
        raise not_found()
    known = None if derived else request.client_info.headers.get(b"if-none-match")
    return conditional(known, show(found.state, found.version, found.at), found.version)


class Paging:
    """The pages of one list; a cursor is valid only for its organization, path and filters.

    Without an organization it is valid only for the caller. With *bound*, it is valid only while
    that is the same, which links do not repeat. *path* is that of the list, if it is not the one
    that was asked.
    """

    def __init__(
        self, request: ApiRequest, *, bound: str = "", path: str = "", **filters: Any
    ) -> None:
        self._request = request
        self._filters = {
            camel(name): _told(value) for name, value in filters.items() if value is not None
        }
        caller = request.caller
        parts = [
            text_of(caller.org_id or caller.user_id),
            path or request.scope["path"],
            *sorted(self._filters.items()),
            *([bound] if bound else ()),
        ]
        self._binding = msgspec.json.encode(parts).decode()

    def key(self, cursor: str | None) -> Any:
        """Return the key at which the page begins; None for the first page.

        :raises Problem: 400 for a cursor from elsewhere.
        """
        if cursor is None:
            return None
        try:
            (key,) = self._request.api.system.keys.cursors.decode(self._binding, cursor)
        except (InvalidCursor, ValueError):
            raise malformed("This cursor belongs to another list. Start without one.") from None
        return key

    def cursor(self, page: ListSlice) -> str | None:
        """Return the cursor of what follows on *page*; None if that is nothing."""
        if page.next_key is None:
            return None
        return self._request.api.system.keys.cursors.encode(self._binding, [page.next_key])

    def answer(self, page: ListSlice, limit: int) -> ApiResponse:
        """Return the page, with the next cursor in the body and in a Link header (RFC 8288)."""
        cursor = self.cursor(page)
        body = _bodies.of(page.json, (self._binding, cursor))
        if cursor is None:
            return ApiResponse(body)
        filters = f"{urlencode(self._filters)}&" if self._filters else ""
        query = f"{filters}limit={limit}&cursor={cursor}"  # of letters that need no encoding
        link = f'<{self._request.scope["path"]}?{query}>; rel="next"'
        return ApiResponse(body, headers=[(b"link", link.encode())])


class PageBodies:
    """The bodies of pages that were answered last.

    A page that is kept in memory stays the same object until something changes. To make its body
    means to copy it, and what was just copied is slower to send.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str | None], tuple[bytes, bytes]] = OrderedDict()
        self._size = 0

    def of(self, items: bytes, place: tuple[str, str | None]) -> bytes:
        """Return the body of the page that is at *place*: its list, and the cursor after it."""
        known = self._known.get(place)
        if known is not None and known[0] is items:
            return known[1]
        body = list_json(items, place[1])
        self._drop(place)
        self._known[place] = items, body
        self._size += len(items) + len(body)
        while len(self._known) > BODIES_MAX or self._size > BODIES_BYTES_MAX:
            self._drop(next(iter(self._known)))
        return body

    def _drop(self, place: tuple[str, str | None]) -> None:
        gone = self._known.pop(place, None)
        if gone is not None:
            self._size -= len(gone[0]) + len(gone[1])


_bodies = PageBodies()


def _told(value: Any) -> str:
    """Return the value of a filter as a query string names it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def list_json(items: bytes, cursor: str | None) -> bytes:
    """Return the JSON of a list whose *items* are JSON, joined by commas."""
    # The line end is that of a response, which copies the body only if it has none.
    if cursor is None:
        return b'{"items":[%b],"nextCursor":null}\n' % items
    return b'{"items":[%b],"nextCursor":"%b"}\n' % (items, cursor.encode())
