"""Finds the task that a path names, by its id or by its key such as ENG-12."""

import re

from litestar.params import FromPath

from api.http.request import ApiRequest, uuid_or_none
from commands.reservations import project_key_claim, task_number_claim
from commands.states import Loaded
from domain.base import NotFound, OrgId, ProjectId, TaskId
from domain.work.project import Project
from domain.work.task.state import Task

TASK_KEY = re.compile(r"([A-Z][A-Z0-9]{1,9})-([1-9][0-9]{0,8})")

TaskRef = FromPath[str]
"""The id of a task, or its key such as ENG-12."""


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
    org_id: OrgId = await request.own_organization()
    log = request.api.system.log
    project_id = await log.holder(project_key_claim(org_id, match[1]))
    if project_id is None:
        raise NotFound
    found = await log.holder(task_number_claim(org_id, project_id, int(match[2])))
    if found is None:
        raise NotFound
    return TaskId(found)


async def refuse_unless_project_here(request: ApiRequest, project_id: ProjectId) -> None:
    """Refuse a project that is missing, deleted or another organization's.

    :raises NotFound: it is.
    """
    (await request.newest(Project, project_id)).state.refuse_unless_here()


async def task_here(request: ApiRequest, task_id: TaskId) -> Loaded[Task]:
    """Return a task as it is now.

    :raises NotFound: it is missing, deleted or another organization's, or its project is.
    """
    found = await request.newest(Task, task_id)
    found.state.refuse_unless_here()
    if found.state.project_id is not None:
        await refuse_unless_project_here(request, found.state.project_id)
    return found
