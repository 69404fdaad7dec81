"""Workflows as their readers see them, and the statuses that they give to the tasks of a list.

A workflow is part of its project's stream, which every request on a task reads anyway, so it has no
documents of its own.
"""

import re
from collections.abc import Collection
from datetime import datetime

import msgspec

from domain.work.project.state import Project
from domain.work.workflow.events import Preset, StatusGroup, Transition
from domain.work.workflow.state import Status, Workflow
from projections.base import View
from projections.engine.query import ListSlice

_encode = msgspec.json.Encoder().encode


class WorkflowView(View, frozen=True, kw_only=True):
    """A workflow as the API shows it; ``preset`` is null for a project's own."""

    preset: Preset | None
    statuses: tuple[Status, ...]
    transitions: tuple[Transition, ...]
    moved: dict[str, str]
    version: int


def render_workflow(project: Project, version: int, updated_at: datetime) -> bytes:
    """Return the JSON of the workflow of *project*."""
    return _encode(workflow_view(project.workflow))


def workflow_view(workflow: Workflow) -> WorkflowView:
    """Return *workflow* as the API shows it."""
    return WorkflowView(
        preset=workflow.preset,
        statuses=workflow.statuses,
        transitions=workflow.transitions,
        moved=workflow.moved,
        version=workflow.version,
    )


def keys_within(
    workflow: Workflow,
    statuses: Collection[str],
    groups: Collection[StatusGroup],
    left_out: Collection[str] = (),
) -> tuple[str, ...] | None:
    """Return the keys that tasks have which are in these statuses, and these groups, now.

    They include those of statuses that are gone; the statuses *left_out* are not among them. None
    means any: nothing was asked for.
    """
    if not statuses and not groups and not left_out:
        return None
    return tuple(
        key
        for one in workflow.statuses
        if (not statuses or one.key in statuses) and (not groups or one.group in groups)
        if one.key not in left_out
        for key in workflow.keys_of(one.key)
    )


def placed(tasks: ListSlice, workflow: Workflow) -> ListSlice:
    """Return a page of a project's tasks, each in the status that it has now.

    A document holds the status that its task was last put into. These bytes stand nowhere else in
    it: inside a text, quotes are escaped.
    """
    if not workflow.moved:
        return tasks
    gone = "|".join(workflow.moved).encode()
    pattern = rb'"status":"(%b)","group":"[A-Z_]+"' % gone

    def place(found: re.Match[bytes]) -> bytes:
        now = workflow.by_key[workflow.moved[found[1].decode()]]
        return b'"status":"%b","group":"%b"' % (now.key.encode(), now.group.encode())

    return tasks._replace(json=re.sub(pattern, place, tasks.json))
