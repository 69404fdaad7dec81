"""Queries of a board: the tasks of a project in columns, one for each status of its workflow."""

from collections.abc import Sequence

from msgspec.structs import replace

from domain.base import OrgId, ProjectId
from domain.work.workflow.state import Status, Workflow
from projections.base import text_of
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import ListSlice, Query
from projections.work.workflow import placed


async def columns_of(  # noqa: PLR0913, PLR0917 - the board, which columns, and their pages
    models: ReadModels,
    org_id: OrgId,
    project_id: ProjectId,
    workflow: Workflow,
    statuses: Sequence[Status],
    limit: int = PAGE_DEFAULT,
    after: str | None = None,
) -> list[ListSlice]:
    """Return a page of tasks for each of *statuses*, in the order of ranks, those behind *after*.

    One index answers each column, and all are read in one consistent view.
    """
    found = await models.pages(
        *(_column(org_id, project_id, workflow, each, limit, after) for each in statuses)
    )
    return [placed(column, workflow) for column in found]


def _column(  # noqa: PLR0913, PLR0917 - as above
    org_id: OrgId,
    project_id: ProjectId,
    workflow: Workflow,
    status: Status,
    limit: int,
    after: str | None,
) -> Query:
    keys = workflow.keys_of(status.key)
    query = Query(
        model="tasks",
        where={"org": text_of(org_id), "project_id": text_of(project_id), "deleted": False},
        sort="place",
        limit=limit,
        above=after,
    )
    if len(keys) > 1:
        return replace(query, either=("status", keys))
    return replace(query, where={**query.where, "status": status.key})
