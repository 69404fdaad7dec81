"""Shared reads: rendered JSON, found by equality and one range in one index.

The queries themselves are beside their read models (``projections/work/task.py``). Every filter
names the organization (a session's names its user, who belongs to none). A list comes a page at a
time, from one unique sort key onwards, so that pages stay right while things are added.
"""

from typing import Any, NamedTuple
from uuid import UUID

from domain.base import OrgId
from projections.base import document_id
from projections.engine.checkpoints import Database, Document, Pointers
from projections.engine.windows import Windows
from projections.engine.wire import Lane

PAGE_DEFAULT = 50
ONE = {"_id": 0, "json": 1, "version": 1, "deleted": 1}


class Found(NamedTuple):
    """One thing: its JSON as a GET answers it, and its version for the ETag."""

    json: bytes
    version: int


class FoundPage(NamedTuple):
    """The JSON of some things, and the key after which to go on; None: that was all."""

    items: list[bytes]
    next_key: Any


class ReadModels:
    """The read models as one process reads them. All raise PyMongoError when they do not answer."""

    def __init__(self, database: Database, pointers: Pointers, lane: Lane | None = None) -> None:
        self._database, self._pointers, self._lane = database, pointers, lane
        self.windows = Windows()

    async def one(self, name: str, org_id: OrgId, thing: UUID) -> Found | None:
        """Return one thing by its id; None if it is missing, in the trash or somebody else's."""
        where: Document = {"_id": document_id(org_id, thing)}
        for found in await self.find(name, {"filter": where, "projection": ONE}, 1):
            return None if found["deleted"] else Found(found["json"], found["version"])
        return None

    async def page(
        self, name: str, where: Document, sort: tuple[str, int], limit: int
    ) -> list[Document]:
        """Return at most *limit* documents that match *where*, with ``json`` and the sort key."""
        fields = {"_id": 0, "json": 1, sort[0]: 1}
        asked: Document = {"filter": where, "projection": fields, "sort": dict([sort])}
        return await self.find(name, asked, limit)

    async def find(self, name: str, asked: Document, limit: int) -> list[Document]:
        """Return at most *limit* documents, in one batch: the server keeps no cursor for us."""
        collection = await self._pointers.collection(name)
        if collection is None or not limit:
            return []
        command: Document = {"find": collection, **asked, "limit": limit, "singleBatch": True}
        if self._lane is not None:
            found = await self._lane.find(self._database.name, command)
            if found is not None:
                return found
        cursor = self._database[collection].find(
            asked["filter"], asked["projection"], sort=asked.get("sort"), limit=-limit
        )
        return await cursor.to_list()


def page_of(found: list[Document], key: str, limit: int) -> FoundPage:
    """Return the first *limit* of *found*, and the *key* to go on after if there are more."""
    next_key = found[limit - 1][key] if len(found) > limit else None
    return FoundPage([one["json"] for one in found[:limit]], next_key)
