"""What readers ask for: rendered JSON, found by equality and one range in one index.

Every filter names the organization (a session's names its user, who belongs to none). A list
comes a page at a time, from one unique sort key onwards, so that pages stay right while things
are added.
"""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Struct

from domain.base import PLATFORM, OrgId, ProjectId, TaskId, UserId, WebhookId
from domain.project import ProjectStatus
from domain.task import Priority, TaskStatus
from projections.base import document_id
from projections.live import Database, Document, Pointers
from projections.task import facet
from projections.windows import Windows
from projections.wire import Lane

PAGE_DEFAULT = 50
SESSIONS_MAX = 100
WEBHOOKS_MAX = 200
"""As many as the largest plan allows."""


class Found(NamedTuple):
    """One thing: its JSON as a GET answers it, and its version for the ETag."""

    json: bytes
    version: int


class Page(NamedTuple):
    """The JSON of some things, and the key after which to go on; None: that was all."""

    items: list[bytes]
    next_key: Any


class TaskFilter(Struct, frozen=True, kw_only=True):
    """Which tasks are asked for; None is any."""

    status: TaskStatus | None = None
    priority: Priority | None = None
    assignee: UserId | None = None


EVERY_TASK = TaskFilter()
ONE = {"_id": 0, "json": 1, "version": 1, "deleted": 1}


class Queries:
    """The read models as one process reads them. All raise PyMongoError when they do not answer."""

    def __init__(self, database: Database, pointers: Pointers, lane: Lane | None = None) -> None:
        self._database, self._pointers, self._lane = database, pointers, lane
        self._windows = Windows()

    # One thing by its id; None for what is not there, in the trash or another organization's.

    async def task(self, org_id: OrgId, task_id: TaskId) -> Found | None:
        return await self._one("tasks", _by_id(org_id, task_id))

    async def task_by_key(self, org_id: OrgId, key: str) -> Found | None:
        """Return the task that people call *key*, such as ENG-12."""
        return await self._one("tasks", {"org": str(org_id), "key": key})

    async def project(self, org_id: OrgId, project_id: ProjectId) -> Found | None:
        return await self._one("projects", _by_id(org_id, project_id))

    async def organization(self, org_id: OrgId) -> Found | None:
        return await self._one("organizations", _by_id(org_id, org_id))

    async def webhook(self, org_id: OrgId, webhook_id: WebhookId) -> Found | None:
        return await self._one("webhooks", _by_id(org_id, webhook_id))

    async def member(self, org_id: OrgId, user_id: UserId) -> bytes | None:
        """Return a member of the organization as the list of members shows them."""
        found = await self._one("members", _by_id(org_id, user_id))
        return (await self._with_users([(str(user_id), found.json)]))[0] if found else None

    # Lists ------------------------------------------------------------------

    async def tasks_of_project(
        self,
        org_id: OrgId,
        project_id: ProjectId,
        wanted: TaskFilter = EVERY_TASK,
        limit: int = PAGE_DEFAULT,
        below: int | None = None,
    ) -> Page:
        """Return tasks of a project, the newest first, with numbers *below* the one given."""
        where: Document = {
            "org": str(org_id),
            "project": str(project_id),
            "facets": facet(wanted.status, wanted.priority, wanted.assignee),
        }
        found: list[Document] = []
        window = self._windows.of((where["project"], where["facets"]), limit, below)
        for numbers in window:
            if numbers:
                where["number"] = numbers
            missing = limit + 1 - len(found)
            found += await self._list("tasks", where, ("number", -1), missing)
            if len(found) > limit:
                break
        window.learn([one["number"] for one in found])
        return _page(found, "number", limit)

    async def projects_of(
        self,
        org_id: OrgId,
        status: ProjectStatus | None = None,
        limit: int = PAGE_DEFAULT,
        after: str | None = None,
    ) -> Page:
        """Return projects of the organization by key, those *after* the key given."""
        where: Document = {"org": str(org_id), "deleted": False}
        if status is not None:
            where["status"] = status.value
        if after is not None:
            where["key"] = {"$gt": after}
        return _page(await self._list("projects", where, ("key", 1), limit + 1), "key", limit)

    async def members_of(
        self, org_id: OrgId, limit: int = PAGE_DEFAULT, after: str | None = None
    ) -> Page:
        """Return members of the organization by user id, each with ``user``: who they are."""
        where: Document = {"org": str(org_id), "deleted": False}
        if after is not None:
            where["user"] = {"$gt": after}
        found = await self._list("members", where, ("user", 1), limit + 1)
        page = _page(found, "user", limit)
        users = [one["user"] for one in found[:limit]]
        return Page(
            await self._with_users(list(zip(users, page.items, strict=True))), page.next_key
        )

    async def sessions_of(self, user_id: UserId, credentials: int, now: datetime) -> list[bytes]:
        """Return the live sessions of a user, those that end last first.

        *credentials* is how often the password was changed: a change ends what began before.
        """
        where: Document = {
            "user": str(user_id),
            "deleted": False,
            "credentials": credentials,
            "expires": {"$gt": now},
        }
        found = await self._list("sessions", where, ("expires", -1), SESSIONS_MAX)
        return [one["json"] for one in found]

    async def webhooks_of(self, org_id: OrgId) -> list[bytes]:
        """Return the webhooks of the organization in the order of their ids, all of them."""
        where: Document = {"org": str(org_id), "deleted": False}
        found = await self._list("webhooks", where, ("order", 1), WEBHOOKS_MAX)
        return [one["json"] for one in found]

    # The reads themselves ---------------------------------------------------

    async def _with_users(self, members: list[tuple[str, bytes]]) -> list[bytes]:
        ids = [f"{PLATFORM}:{user}" for user, _ in members]
        where: Document = {"_id": {"$in": ids}}
        found = await self._find("users", {"filter": where, "projection": {"json": 1}}, len(ids))
        users = {one["_id"]: one["json"] for one in found}
        return [_joined(json, users.get(f"{PLATFORM}:{u}", b"null")) for u, json in members]

    async def _one(self, name: str, where: Document) -> Found | None:
        asked: Document = {"filter": where, "projection": ONE}
        for found in await self._find(name, asked, 1):
            return None if found["deleted"] else Found(found["json"], found["version"])
        return None

    async def _list(
        self, name: str, where: Document, sort: tuple[str, int], limit: int
    ) -> list[Document]:
        fields = {"_id": 0, "json": 1, sort[0]: 1}
        asked: Document = {"filter": where, "projection": fields, "sort": dict([sort])}
        return await self._find(name, asked, limit)

    async def _find(self, name: str, asked: Document, limit: int) -> list[Document]:
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


def _by_id(org_id: OrgId, thing: UUID) -> Document:
    return {"_id": document_id(org_id, thing)}


def _page(found: list[Document], key: str, limit: int) -> Page:
    next_key = found[limit - 1][key] if len(found) > limit else None
    return Page([one["json"] for one in found[:limit]], next_key)


def _joined(member: bytes, user: bytes) -> bytes:
    return b'%b,"user":%b}' % (member[:-1], user)
