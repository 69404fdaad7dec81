"""What is in a task or a project, the trash included: what goes with it when it is purged."""

from collections.abc import AsyncIterator, Mapping
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from domain.base import OrgId
from domain.work.trash import TrashKind
from projections.base import text_of
from projections.engine.find import ReadModels
from projections.engine.query import Query
from projections.shape import Value
from projections.work.trash import decode_trashed

CONTENTS_AT_ONCE = 100
"""Things of one page."""

Content = tuple[TrashKind, UUID]


class _Listed(Struct, frozen=True):
    id: UUID


class _List(Struct, frozen=True):
    """A list in which things of one kind are found by what they are in; its sort key is unique."""

    kind: TrashKind
    model: str
    within: str
    sort: str


_OF_TASK = (
    _List(TrashKind.COMMENT, "comments", "task_id", "id"),
    _List(TrashKind.ATTACHMENT, "attachments", "task_id", "id"),
    _List(TrashKind.WORKLOG, "worklogs", "task_id", "spent"),
    _List(TrashKind.TASK, "tasks", "parent_id", "place"),
)
_TASKS = _List(TrashKind.TASK, "tasks", "project_id", "created")
_PARTS = (
    _List(TrashKind.LABEL, "labels", "project_id", "order"),
    _List(TrashKind.CYCLE, "cycles", "project_id", "starts_on"),
    _List(TrashKind.MILESTONE, "milestones", "project_id", "order"),
    _List(TrashKind.FIELD, "fields", "project_id", "key"),
    _List(TrashKind.VIEW, "views", "project_id", "id"),
    _List(TrashKind.TEMPLATE, "templates", "project_id", "order"),
)
MODELS_OF_TASK = tuple(each.model for each in _OF_TASK)
MODELS_OF_PROJECT = ("trash", _TASKS.model, *(each.model for each in _PARTS))
"""The read models in which is found what is in a task, and in a project."""

_listed = msgspec.json.Decoder(_Listed).decode


async def contents_of_task(
    models: ReadModels, org_id: OrgId, task_id: UUID
) -> AsyncIterator[list[Content]]:
    """Yield the comments, attachments, entries of time and subtasks of a task, page by page."""
    for one in _OF_TASK:
        for deleted in (True, False):
            async for page in _pages(models, org_id, one, task_id, deleted=deleted):
                yield page


async def contents_of_project(
    models: ReadModels, org_id: OrgId, project_id: UUID
) -> AsyncIterator[list[Content]]:
    """Yield the tasks, labels, cycles, milestones, fields, views and templates of a project.

    What is in the trash by itself is found there: two things in it may have the same name.
    """
    where: dict[str, Value] = {
        "org": text_of(org_id), "deleted": True, "project_id": text_of(project_id)
    }  # fmt: skip
    query = Query(model="trash", where=where, sort="gone", limit=CONTENTS_AT_ONCE)
    async for items in _items(models, query):
        found = [decode_trashed(item) for item in items]
        yield [(each.kind, each.id) for each in found if each.kind is not TrashKind.PROJECT]
    for deleted in (True, False):
        async for page in _pages(models, org_id, _TASKS, project_id, deleted=deleted):
            yield page
    for one in _PARTS:
        async for page in _pages(models, org_id, one, project_id, deleted=False):
            yield page


async def _pages(
    models: ReadModels, org_id: OrgId, one: _List, within: UUID, *, deleted: bool
) -> AsyncIterator[list[Content]]:
    where: Mapping[str, Value] = {
        "org": text_of(org_id), one.within: text_of(within), "deleted": deleted
    }  # fmt: skip
    query = Query(model=one.model, where=where, sort=one.sort, limit=CONTENTS_AT_ONCE)
    async for items in _items(models, query):
        yield [(one.kind, _listed(item).id) for item in items]


async def _items(models: ReadModels, query: Query) -> AsyncIterator[list[bytes]]:
    while True:
        page = await models.page(query)
        if page.size:
            yield page.items
        if page.next_key is None:
            return
        query = replace(query, above=page.next_key)
