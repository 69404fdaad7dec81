"""What readers ask for: rendered JSON, found by equality and one range in one index.

Every filter names the organization. A list comes a page at a time, from one unique sort key
onwards, so that pages stay right while things are added.
"""

from typing import Any, NamedTuple

from msgspec import Struct

from domain.base import OrgId, ProjectId, TaskId, UserId
from domain.task import Priority, TaskStatus
from projections.live import Database, Document, Pointers
from projections.task import facet

PAGE_DEFAULT = 50


class Found(NamedTuple):
    """One thing: its JSON as a GET answers it, and its version for the ETag."""

    json: bytes
    version: int


class Page(NamedTuple):
    """The JSON of some things, and the key to ask for what follows; None: that was all."""

    items: list[bytes]
    next_key: Any


class TaskFilter(Struct, frozen=True, kw_only=True):
    """Which tasks are asked for; None is any."""

    status: TaskStatus | None = None
    priority: Priority | None = None
    assignee: UserId | None = None


EVERY_TASK = TaskFilter()


class Queries:
    """The read models as one process reads them."""

    def __init__(self, database: Database, pointers: Pointers) -> None:
        self._database, self._pointers = database, pointers

    async def task(self, org_id: OrgId, task_id: TaskId) -> Found | None:
        """Return a task that is not in the trash."""
        return await self._one("tasks", {"_id": str(task_id), "org": str(org_id)})

    async def task_by_key(self, org_id: OrgId, key: str) -> Found | None:
        """Return the task that people call *key*, such as ENG-12."""
        return await self._one("tasks", {"org": str(org_id), "key": key})

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
        if below is not None:
            where["number"] = {"$lt": below}
        return await self._page("tasks", where, ("number", -1), limit)

    async def _one(self, name: str, where: Document) -> Found | None:
        collection = await self._pointers.collection(name)
        if collection is None:
            return None
        found = await self._database[collection].find_one(
            where, {"_id": 0, "json": 1, "version": 1, "deleted": 1}
        )
        if found is None or found["deleted"]:
            return None
        return Found(found["json"], found["version"])

    async def _page(self, name: str, where: Document, sort: tuple[str, int], limit: int) -> Page:
        collection = await self._pointers.collection(name)
        if collection is None:
            return Page([], None)
        found = (
            await self._database[collection]
            .find(
                where,
                {"_id": 0, "json": 1, sort[0]: 1},
                sort=[sort],
                limit=limit + 1,
                batch_size=limit + 1,
            )
            .to_list()
        )
        more = len(found) > limit
        del found[limit:]
        return Page([one["json"] for one in found], found[-1][sort[0]] if more else None)
