"""Reads over HTTP: waiting for what was recorded, single resources, pages of lists."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode
from uuid import UUID

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
PAGES_MAX, PAGES_BYTES_MAX = 256, 16 * 2**20
"""How many pages a process keeps, and how large they may be together."""

AsOf = tuple[tuple[str, ...], dict[OrgId, int]]
"""Which collections show something, and up to where their organization has recorded."""
AskedPage = tuple[str, UUID, int, str | None]
"""A list with its filters, who asks for it, and the limit and the cursor of a page."""


async def wait_for_own_writes(request: ApiRequest, *names: str) -> dict[OrgId, int]:
    """Wait until the read models *names* include what the caller's organization has recorded.

    The log tells how far that is, so it holds for what came through another process, too. They also
    include X-Min-Position. Return the position up to which each owner of their events has recorded.

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
    return recorded


async def as_of_own_writes(request: ApiRequest, *names: str) -> AsOf:
    """Wait as ``wait_for_own_writes`` does, and return what *names* show.

    While that is the same, so is a list of them.
    """
    recorded = await wait_for_own_writes(request, *names)
    return await request.api.models.collections(names), recorded


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
        caller = request.caller
        told = [(name, _told(value)) for name, value in filters.items() if value is not None]
        owner = text_of(caller.org_id or caller.user_id)
        at = path or request.scope["path"]
        self._binding, self._query = _named(owner, at, bound, tuple(told))

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

    async def kept(
        self, as_of: AsOf, limit: int, cursor: str | None, make: Callable[[], Awaitable["Answered"]]
    ) -> ApiResponse:
        """Return the page as it was answered before if it is still the same, otherwise *make* it.

        It must follow from nothing but what its organization has recorded, who asks, and the time.
        """
        clock = self._request.api.system.clock
        asked = self._binding, self._request.caller.actor.id, limit, cursor
        known = _kept.get(asked, as_of, clock())
        if known is not None:
            return known
        made = await make()
        _kept.keep(asked, KeptPage(as_of, clock(), made.until, made.answer))
        return made.answer

    def answer(self, page: ListSlice, limit: int) -> ApiResponse:
        """Return the page, with the next cursor in the body and in a Link header (RFC 8288)."""
        cursor = self.cursor(page)
        body = list_json(page.json, cursor)
        if cursor is None:
            return ApiResponse(body)
        # Of letters that need no encoding.
        query = f"{self._query}limit={limit}&cursor={cursor}"
        link = f'<{self._request.scope["path"]}?{query}>; rel="next"'
        return ApiResponse(body, headers=[(b"link", link.encode())])


@lru_cache(1_024)  # most lists are asked for again and again
def _named(owner: str, path: str, bound: str, told: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    """Return what the cursors of a list are bound to, and its filters as a query begins."""
    filters = {camel(name): value for name, value in told}
    parts = [owner, path, *sorted(filters.items()), *([bound] if bound else ())]
    return msgspec.json.encode(parts).decode(), f"{urlencode(filters)}&" if filters else ""


class Answered(NamedTuple):
    """A page, and when time alone makes it another one; None if it never does."""

    answer: ApiResponse
    until: datetime | None


class KeptPage(NamedTuple):
    """A page that was answered, what it shows, and since when and until when it is the same."""

    as_of: AsOf
    since: datetime
    until: datetime | None
    answer: ApiResponse


class KeptPages:
    """Pages that were answered last, kept in memory while they would be answered the same.

    What a list shows follows from what its organization has recorded, which collections show it,
    who asks, and the time. The log is asked for the first before any page is read. So a page of an
    organization that has recorded nothing since is not read again, however much others record.
    """

    def __init__(self) -> None:
        self._pages: OrderedDict[AskedPage, KeptPage] = OrderedDict()
        self._size = 0

    def get(self, asked: AskedPage, as_of: AsOf, now: datetime) -> ApiResponse | None:
        """Return a page; None if it is not known, or no longer the same."""
        known = self._pages.get(asked)
        if known is None or known.as_of != as_of or now < known.since:
            return None
        if known.until is not None and now >= known.until:
            return None
        return known.answer

    def keep(self, asked: AskedPage, page: KeptPage) -> None:
        """Keep a page in place of what was answered to the same question before."""
        self._drop(asked)
        self._pages[asked] = page
        self._size += len(page.answer.body)
        while len(self._pages) > PAGES_MAX or self._size > PAGES_BYTES_MAX:
            self._drop(next(iter(self._pages)))

    def _drop(self, asked: AskedPage) -> None:
        gone = self._pages.pop(asked, None)
        if gone is not None:
            self._size -= len(gone.answer.body)


_kept = KeptPages()


def _told(value: Any) -> str:
    """Return the value of a filter as a query string names it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def list_json(items: bytes, cursor: str | None) -> bytes:
    """Return the JSON of a list whose *items* are JSON, joined by commas."""
    # The line end is that of a response, which copies the body only if it has none.
    if cursor is None:
        return b'{"items":[%b],"nextCursor":null}\n' % items
    return b'{"items":[%b],"nextCursor":"%b"}\n' % (items, cursor.encode())
