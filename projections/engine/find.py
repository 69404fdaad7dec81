"""Reads shared by the queries: rendered JSON from the live collections.

The queries themselves are next to their read models (``projections/work/task.py``). Every list is
restricted to one organization, or to one user: their sessions and their memberships.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from domain.base import OrgId
from eventstore.counters import READ_MODELS_DRIVER, counters_of
from projections.base import Projection, document_id
from projections.engine.control import Control
from projections.engine.progress import Progress
from projections.engine.query import LIMIT_MAX, ListSlice, Query, list_slice
from projections.engine.sizes import SIZE_MAX, Remembered, SizeKey, size_key
from projections.engine.store import ReadStore, ReadStoreUnavailable, Rebuilding, ShapedCollection

PAGE_DEFAULT = 50
FILLING_MAX_S = 2.0
"""How long is looked for what fills a page; behind that, it is short and yet has a next key."""
_AT_ONCE_S = 0.5
"""How soon a store that answers says that a collection is gone."""


class Found(NamedTuple):
    """One resource: the JSON that a GET returns, and its version for the ETag."""

    json: bytes
    version: int


Find = Callable[[int, Any], Awaitable[ListSlice]]
"""Finds up to so many items of a list behind a sort key, and tells the sort key of each.

They may be fewer, or more, and there are more of the list if there is a next key.
"""


async def full_page(
    find: Find, limit: int, after: Any = None, begun: ListSlice | None = None
) -> ListSlice:
    """Return the page behind *after*: full if it has a next key, which it has if there is more.

    It begins with *begun*, which has been found before.

    *find* may look at rows in slices that hold few items or none: it is asked again until one item
    more is found than the page shows, or nothing is left. Only behind ``FILLING_MAX_S`` does a page
    end early, so that a request is answered, and the next one goes on.
    """
    items = [] if begun is None else begun.items
    keys = [] if begun is None else [*begun.keys]
    began = time.monotonic()
    while True:
        found = await find(min(limit + 1 - len(items), LIMIT_MAX), after)
        items += found.items
        keys += found.keys
        after = found.next_key
        if len(items) > limit:
            return list_slice(items[:limit], keys[limit - 1], keys[:limit])
        if after is None or time.monotonic() - began > FILLING_MAX_S:
            return list_slice(items, after, keys)
        await asyncio.sleep(0)  # others have their turn between the slices


class ReadModels:
    """The read models as one process reads them.

    All methods raise ``ReadStoreUnavailable`` if the store does not answer, and ``Rebuilding``
    while the read models are not ready to be shown.
    """

    def __init__(
        self, store: ReadStore, progress: Progress, projections: Sequence[Projection[Any]]
    ) -> None:
        self._store, self._progress = store, progress
        self._shapes = {one.name: one.shape for one in projections}
        self._targets: dict[str, ShapedCollection] = {}
        self._targets_of: Control | None = None
        self._sizes = Remembered[SizeKey, int]()
        self._chosen = Remembered[Hashable, Query]()

    async def one(self, model: str, org_id: OrgId, thing: UUID) -> Found | None:
        """Return a resource by its id; None if it is missing, deleted or another organization's."""
        ids = [document_id(org_id, thing)]
        for _, json, version, deleted in await self._get(model, ids):
            return None if deleted else Found(json, version)
        return None

    async def many(self, model: str, ids: Sequence[str]) -> dict[str, bytes]:
        """Return the JSON of documents by their ids, without missing ones."""
        return {one.id: one.json for one in await self._get(model, ids)} if ids else {}

    async def here(self, model: str, ids: Sequence[str]) -> dict[str, bytes]:
        """Return as ``many`` does, also without what is in the trash."""
        found = await self._get(model, ids) if ids else ()
        return {one.id: one.json for one in found if not one.deleted}

    async def page(self, query: Query) -> ListSlice:
        """Return one page of a list, which is full unless there are no more rows.

        Filters check a bounded number of rows at a time, as often as ``full_page`` asks for more.
        """
        [found] = await self.full_pages(query)
        return found

    async def full_pages(self, *queries: Query) -> list[ListSlice]:
        """Return one page for each query, as ``page`` does; their first slices are read at once."""
        begun = await self.pages(*queries)
        return [await self.filled(*each) for each in zip(queries, begun, strict=True)]

    async def filled(self, query: Query, begun: ListSlice) -> ListSlice:
        """Return the page that begins with a slice."""
        is_full = begun.size == query.limit and (begun.has_more or not begun.keys)
        if begun.next_key is None or is_full:
            return begun
        end = "below" if query.descending else "above"

        async def find(limit: int, after: Any) -> ListSlice:
            [some] = await self.pages(replace(query, limit=limit, keyed=True, **{end: after}))
            return some

        return await full_page(find, query.limit, begun.next_key, begun)

    async def pages(self, *queries: Query) -> list[ListSlice]:
        """Return one slice for each query, all from one consistent view."""
        began = time.monotonic()
        try:
            control = await self._progress.control()
            return await self._store.find([(self._target(control, q.model), q) for q in queries])
        except ReadStoreUnavailable:
            await self._look_again(began)
            control = await self._progress.control()
            return await self._store.find([(self._target(control, q.model), q) for q in queries])

    async def collections(self, models: Sequence[str]) -> tuple[str, ...]:
        """Return the names of the collections that show *models* now; a rebuild changes them."""
        control = await self._progress.control()
        return control.life, *[self._target(control, model).collection for model in models]

    async def sizes(self, queries: Sequence[Query], most: int = SIZE_MAX) -> list[int]:
        """Return how many documents the index finds for each query, up to *most*.

        As of the last seconds: for a choice between queries that find the same.
        """
        control = await self._progress.control()
        keys = [size_key(self._target(control, q.model).collection, q, most) for q in queries]
        sizes = [self._sizes.get(key) for key in keys]
        for at, size in enumerate(sizes):
            if size is None:
                sizes[at] = counted = await self._counted(queries[at], most)
                self._sizes.keep(keys[at], counted)
        return [size or 0 for size in sizes]

    async def remembered(self, plans: Hashable, choose: Callable[[], Awaitable[Query]]) -> Query:
        """Return which query was chosen of *plans* in the last seconds, or *choose* one."""
        chosen = self.chosen(plans)
        if chosen is None:
            chosen = await choose()
            self.choose(plans, chosen)
        return chosen

    def chosen(self, plans: Hashable) -> Query | None:
        """Return which query was chosen of *plans* in the last seconds, None if none was."""
        return self._chosen.get(plans)

    def choose(self, plans: Hashable, query: Query) -> None:
        """Remember which query was chosen of *plans*."""
        self._chosen.keep(plans, query)

    async def _counted(self, query: Query, most: int) -> int:
        began = time.monotonic()
        try:
            control = await self._progress.control()
            return await self._store.count(self._target(control, query.model), query, most)
        except ReadStoreUnavailable:
            await self._look_again(began)
            control = await self._progress.control()
            return await self._store.count(self._target(control, query.model), query, most)

    async def _get(self, model: str, ids: Sequence[str]) -> Any:
        began = time.monotonic()
        try:
            control = await self._progress.control()
            return await self._store.get_many(self._target(control, model), ids)
        except ReadStoreUnavailable:
            await self._look_again(began)
            control = await self._progress.control()
            return await self._store.get_many(self._target(control, model), ids)

    async def _look_again(self, began: float) -> None:
        """Learn which collections are live now, as the one asked may have been replaced and gone.

        :raises ReadStoreUnavailable: it took too long for that; the store does not answer.
        """
        if time.monotonic() - began > _AT_ONCE_S:
            raise ReadStoreUnavailable("the read models did not answer in time")
        counters_of(READ_MODELS_DRIVER).retried()
        await self._progress.refresh()

    def _target(self, control: Control, model: str) -> ShapedCollection:
        if control is not self._targets_of:
            self._targets, self._targets_of = {}, control
        known = self._targets.get(model)
        if known is None:
            known = self._targets[model] = self._shown(control, model)
        return known

    def _shown(self, control: Control, model: str) -> ShapedCollection:
        live, shape = control.live(model), self._shapes[model]
        # A collection with other fields or indexes cannot answer the queries of this version.
        if not control.serving or live is None or live.layout != shape.layout:
            raise Rebuilding(control.progress())
        return ShapedCollection(live.name, shape)
