"""Queries of where tasks belong: subtasks of a task, and tasks around a place."""

from typing import NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from domain.base import OrgId, ProjectId, TaskId
from projections.base import text_of
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import LIMIT_MAX, ListSlice, Query
from projections.shape import Value


class Placed(NamedTuple):
    """A task in the order of ranks, with its sort key."""

    id: TaskId
    place: str


class _Shown(Struct, frozen=True):
    id: TaskId


_id_in = msgspec.json.Decoder(_Shown).decode


async def subtasks_of(
    models: ReadModels,
    org_id: OrgId,
    parent_id: TaskId,
    limit: int = PAGE_DEFAULT,
    above: str | None = None,
) -> ListSlice:
    """Return subtasks of a task in the order of their ranks, those behind *above*."""
    where: dict[str, Value] = {
        "org": text_of(org_id),
        "parent_id": text_of(parent_id),
        "deleted": False,
    }
    return await models.page(
        Query(model="tasks", where=where, sort="place", limit=limit, above=above)
    )


async def tasks_below(
    models: ReadModels, org_id: OrgId, root: TaskId, limit: int, *, deep: bool = True
) -> list[TaskId]:
    """Return the subtasks of *root*, also those in the trash: at all levels if *deep*.

    As lists show them; of more than *limit*, not all of them.
    """
    found: list[TaskId] = []
    above = [root]
    while above and len(found) <= limit:
        many = min(limit + 1, LIMIT_MAX)
        asked = [_below(org_id, each, trash, many) for each in above for trash in (False, True)]
        pages = await models.pages(*asked)
        above = [_id_in(item).id for page in pages for item in page.items]
        found += above
        if not deep:
            break
    return found


def _below(org_id: OrgId, parent_id: TaskId, trash: bool, limit: int) -> Query:
    where: dict[str, Value] = {
        "org": text_of(org_id),
        "parent_id": text_of(parent_id),
        "deleted": trash,
    }
    return Query(model="tasks", where=where, sort="place", limit=limit)


async def tasks_around(
    models: ReadModels, org_id: OrgId, project_id: ProjectId, place: str, count: int
) -> tuple[list[Placed], list[Placed]]:
    """Return up to *count* tasks of a project before *place* and behind it, the nearest first."""
    where: dict[str, Value] = {
        "org": text_of(org_id),
        "project_id": text_of(project_id),
        "deleted": False,
    }
    query = Query(model="tasks", where=where, sort="place", limit=count, keyed=True)
    before, after = await models.pages(
        replace(query, descending=True, below=place), replace(query, above=place)
    )
    return _placed(before), _placed(after)


def _placed(found: ListSlice) -> list[Placed]:
    return [Placed(_id_in(item).id, key) for item, key in zip(found.items, found.keys, strict=True)]
