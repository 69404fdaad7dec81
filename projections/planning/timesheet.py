"""Timesheets: logged time across tasks, of those that whoever asks sees now.

An entry does not know where its task is: a task takes its time along wherever it is moved. So the
tasks of each slice of entries are looked up, and what is in none of the wanted projects, or in the
trash, is left out.
"""

import asyncio
import datetime
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from domain.base import OrgId, ProjectId, TaskId, UserId, WorklogId
from projections.base import View, document_id, text_of
from projections.engine.find import ReadModels, full_page
from projections.engine.query import ListSlice, Query, list_slice
from projections.planning.worklog import WorklogView
from projections.shape import Value

ENTRIES_MAX = 50_000
"""Entries that are looked at for totals: some 0.6 s of CPU."""
SUMS_MAX = 5_000
"""Sums of one answer: some 6 ms."""
ENTRIES_AT_ONCE = 200
"""Entries that are looked at in one go: some 3 ms."""
TASKS_KNOWN_MAX = 10_000
"""Tasks that are not looked up again: some 3 MB."""
_END_OF_DAY = "~"
"""Behind the sort key of every entry of a day, in which an id follows."""


class TimeGrouping(StrEnum):
    """What logged time is added up by."""

    USER = "user"
    PROJECT = "project"
    TASK = "task"
    DAY = "day"


class TimeFilter(Struct, frozen=True, kw_only=True):
    """Which entries: from the first day to the last one, of one person or (None) of everybody."""

    first: datetime.date
    last: datetime.date
    user_id: UserId | None = None


class TimeEntry(WorklogView, frozen=True, kw_only=True):
    """Time that was spent, and where its task is now."""

    project_id: ProjectId
    task_key: str


class TimeTotal(View, frozen=True, kw_only=True):
    """How many minutes somebody, a project, a task or a day comes to, and in how many entries.

    ``userId`` is null for the imported time of those who are no members.
    """

    user_id: UserId | UnsetType | None = UNSET
    project_id: ProjectId | UnsetType = UNSET
    task_id: TaskId | UnsetType = UNSET
    task_key: str | UnsetType = UNSET
    date: datetime.date | UnsetType = UNSET
    minutes: int
    entries: int


class SpentTime(Struct, frozen=True, rename="camel"):
    """What totals and tables are made of."""

    id: WorklogId
    task_id: TaskId
    user_id: UserId | None
    minutes: int
    date: datetime.date
    note: str | None


class TimedTask(Struct, frozen=True, rename="camel"):
    """What a timesheet shows of a task."""

    id: TaskId
    project_id: ProjectId
    number: int
    title: str


class SpentOn(NamedTuple):
    """An entry, its sort key and its JSON, and the task that it is on, with the key of today."""

    key: str
    json: bytes
    spent: SpentTime
    task: TimedTask
    task_key: str


class TimeSlice(NamedTuple):
    """Entries that were found among those *looked_at*, and the key behind which there are more."""

    looked_at: int
    entries: list[SpentOn]
    next_key: str | None


class _Sum(Struct):
    """What was added up of one group, and one of its entries."""

    one: SpentOn
    minutes: int = 0
    entries: int = 0

    def total(self, by: TimeGrouping) -> TimeTotal:
        one, total = self.one, TimeTotal(minutes=self.minutes, entries=self.entries)
        match by:
            case TimeGrouping.USER:
                return replace(total, user_id=one.spent.user_id)
            case TimeGrouping.PROJECT:
                return replace(total, project_id=one.task.project_id)
            case TimeGrouping.TASK:
                return replace(total, task_id=one.task.id, task_key=one.task_key)
            case TimeGrouping.DAY:
                return replace(total, date=one.spent.date)


_spent = msgspec.json.Decoder(list[SpentTime]).decode
_task = msgspec.json.Decoder(TimedTask).decode


class Timesheet:
    """Entries of an organization in *projects*, of which it takes the ids and the keys."""

    def __init__(
        self,
        models: ReadModels,
        org_id: OrgId,
        projects: Mapping[ProjectId, str],
        wanted: TimeFilter,
    ) -> None:
        self._models, self._org_id = models, org_id
        self._projects, self._wanted = projects, wanted
        self._tasks: dict[TaskId, TimedTask | None] = {}

    async def page(self, limit: int, after: str | None) -> ListSlice:
        """Return entries behind the sort key *after*, the earliest day first."""

        async def find(most: int, behind: str | None) -> ListSlice:
            found = await self._slice(most if behind == after else ENTRIES_AT_ONCE, behind)
            placed = await self._placed(found)
            keys = [one.key for one in placed]
            return list_slice([_shown(one) for one in placed], found.next_key, keys)

        return await full_page(find, limit, after)

    async def slice(self, after: str | None) -> TimeSlice:
        """Return as many entries behind a sort key as are looked at in one go."""
        await asyncio.sleep(0)  # others have their turn between the slices
        found = await self._slice(ENTRIES_AT_ONCE, after)
        return TimeSlice(found.size, await self._placed(found), found.next_key)

    async def totals(self, by: TimeGrouping) -> list[TimeTotal] | None:
        """Return the time by what is asked for: days in order, else what took longest first.

        None if more than ``ENTRIES_MAX`` entries have to be looked at, or ``SUMS_MAX`` are made.
        """
        looked_at, after, sums = 0, None, dict[str, _Sum]()
        while True:
            some = await self.slice(after)
            looked_at, after = looked_at + some.looked_at, some.next_key
            for one in some.entries:
                group = sums.setdefault(_group(one, by), _Sum(one))
                group.minutes += one.spent.minutes
                group.entries += 1
            if looked_at > ENTRIES_MAX or len(sums) > SUMS_MAX:
                return None
            if after is None:
                break
        if by is TimeGrouping.DAY:
            return [sums[day].total(by) for day in sorted(sums)]
        longest = sorted(sums, key=lambda group: (-sums[group].minutes, group))
        return [sums[group].total(by) for group in longest]

    async def _slice(self, limit: int, after: str | None) -> ListSlice:
        where: dict[str, Value] = {"org": text_of(self._org_id), "deleted": False}
        if self._wanted.user_id is not None:
            where["user_id"] = text_of(self._wanted.user_id)
        query = Query(
            model="worklogs",
            where=where,
            sort="spent",
            limit=limit,
            above=after or str(self._wanted.first),
            below=f"{self._wanted.last}{_END_OF_DAY}",
            keyed=True,
        )
        [found] = await self._models.pages(query)
        return found

    async def _placed(self, found: ListSlice) -> list[SpentOn]:
        """Return those entries of a slice that are on tasks in the projects."""
        entries = _spent(b"[%b]" % found.json)
        await self._look_up(each.task_id for each in entries)
        placed: list[SpentOn] = []
        for key, json, spent in zip(found.keys, found.items, entries, strict=True):
            task = self._tasks[spent.task_id]
            if task is not None:
                task_key = f"{self._projects[task.project_id]}-{task.number}"
                placed.append(SpentOn(key, json, spent, task, task_key))
        return placed

    async def _look_up(self, ids: Iterable[TaskId]) -> None:
        """Look up those tasks that are not known yet."""
        if len(self._tasks) > TASKS_KNOWN_MAX:
            self._tasks.clear()
        wanted = {document_id(self._org_id, each): each for each in ids if each not in self._tasks}
        found = await self._models.here("tasks", [*wanted])
        for key, each in wanted.items():
            task = _task(found[key]) if key in found else None
            here = task is not None and task.project_id in self._projects
            self._tasks[each] = task if here else None


def _group(one: SpentOn, by: TimeGrouping) -> str:
    """Return what an entry belongs to, as text that sorts."""
    match by:
        case TimeGrouping.USER:
            return "" if one.spent.user_id is None else text_of(one.spent.user_id)
        case TimeGrouping.PROJECT:
            return text_of(one.task.project_id)
        case TimeGrouping.TASK:
            return text_of(one.task.id)
        case TimeGrouping.DAY:
            return one.spent.date.isoformat()


def _shown(one: SpentOn) -> bytes:
    """Return the JSON of a ``TimeEntry``."""
    project_id, key = text_of(one.task.project_id).encode(), one.task_key.encode()
    return b'%b,"projectId":"%b","taskKey":"%b"}' % (one.json[:-1], project_id, key)
