"""Finds the task that a path names, by its id or by its key such as ENG-12."""

import re
from collections import OrderedDict
from typing import TypeVar
from uuid import UUID

from litestar.params import FromPath
from msgspec.structs import replace

from api.http.request import ApiRequest, uuid_or_none
from api.work.sight import project_here
from commands.project_claims import project_key_claim
from commands.reservations import task_number_claim
from commands.states import Loaded
from commands.work.task_tree import trashed_above
from domain.base import NotFound, OrgId, State, TaskId
from domain.work.project.state import Project
from domain.work.task.state import Task
from eventstore.claim import ClaimKey
from eventstore.log import EventLog
from projections.engine.query import ListSlice

S = TypeVar("S", bound=State)

_KEYED = re.compile(rb'(\{"id":"[0-9a-f-]{36}","key":")([A-Z][A-Z0-9]{1,9})-')
"""Where a task in JSON has its key: a quote within a text is escaped, so that no text matches."""

TASK_KEY = re.compile(r"([A-Z][A-Z0-9]{1,9})-([1-9][0-9]{0,8})")

PROJECTS_KNOWN_MAX = 10_000
"""Project keys that a process remembers: about 5 MB."""

TaskRef = FromPath[str]
"""The id of a task, or its key such as ENG-12."""


class TaskKeys:
    """Finds tasks by key in the claims of the log, with one look-up.

    The number of a task is claimed within its project. So the project that had the key last time is
    looked up together with the number in it; if another one has the key now, that counts.
    """

    def __init__(self) -> None:
        self._projects: OrderedDict[ClaimKey, UUID] = OrderedDict()

    async def find(self, log: EventLog, org_id: OrgId, key: str, number: int) -> UUID | None:
        """Return the id of the task with a number in the project that has *key* now."""
        project = project_key_claim(org_id, key)
        supposed = self._projects.get(project)
        wanted = [project]
        if supposed is not None:
            wanted.append(task_number_claim(org_id, supposed, number))
        found = await log.holders(wanted)
        actual = found.get(project)
        if actual is None or actual == supposed:
            return None if actual is None else found.get(wanted[-1])
        self._remember(project, actual)
        return await log.holder(task_number_claim(org_id, actual, number))

    def _remember(self, project: ClaimKey, project_id: UUID) -> None:
        self._projects[project] = project_id
        if len(self._projects) > PROJECTS_KNOWN_MAX:
            self._projects.popitem(last=False)


_keys = TaskKeys()


async def task_id_of(request: ApiRequest, ref: str) -> TaskId:
    """Return the id of the task that *ref* names in the caller's organization.

    :raises NotFound: there is none.
    """
    task_id = uuid_or_none(ref)
    if task_id is not None:
        return TaskId(task_id)
    match = TASK_KEY.fullmatch(ref.upper() if ref.isascii() else "")
    if match is None:
        raise NotFound
    org_id = await request.own_organization()
    found = await _keys.find(request.api.system.log, org_id, match[1], int(match[2]))
    if found is None:
        raise NotFound
    return TaskId(found)


async def task_here(request: ApiRequest, task_id: TaskId) -> tuple[Loaded[Task], Project]:
    """Return a task, under its present key and in its present status, and its project.

    :raises NotFound: it is missing, deleted or another organization's, or its project or a task
        above it is.
    """
    found = await request.newest(Task, task_id)
    found.state.refuse_unless_here()
    await refuse_below_trash(request, found.state)
    assert found.state.project_id is not None  # noqa: S101  a task that is here has one
    project = (await project_here(request, found.state.project_id)).state
    place = project.workflow.place(found.state.status, found.state.group)
    state = replace(found.state, project_key=project.key, status=place.key, group=place.group)
    return replace(found, state=state), project


async def refuse_below_trash(request: ApiRequest, task: Task) -> None:
    """Refuse a task that is hidden because one above it is in the trash.

    :raises NotFound: it is.
    """
    if task.parent_id is None:
        return

    async def read(kind: type[S], stream: UUID, /) -> S:
        return (await request.newest(kind, stream)).state

    if await trashed_above(read, task) is not None:
        raise NotFound


def under_key(page: ListSlice, project: Project) -> ListSlice:
    """Return a list of tasks of *project* under the key that it has now.

    Their documents have the key that it had when they were created.
    """
    if not project.rekeyed:
        return page
    return page._replace(json=_KEYED.sub(rb"\1%b-" % project.key.encode(), page.json))
