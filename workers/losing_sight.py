"""Losing sight: whoever no longer sees a private project loses its open tasks.

Each consequence is a command that names the event that caused it. Acting twice changes nothing.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import TypeVar
from uuid import UUID

import msgspec

from commands.project_claims import PRIVATE_PROJECT
from commands.sight import sees_project
from commands.work.losing_sight import ReleaseWithoutSight
from domain.base import NotFound, OrgId, ProjectId, State, TaskId, UserId
from domain.catalog import tag_of
from domain.identity.organization.membership import MemberRoleChanged
from domain.work.project.events import (
    ProjectLeadAssigned,
    ProjectMemberRemoved,
    ProjectTeamLinked,
    ProjectVisibilityChanged,
)
from domain.work.project.state import Project
from domain.work.team import TeamDeleted, TeamMemberRemoved
from eventstore.append import ConcurrencyConflict
from eventstore.recorded import Recorded, Row
from projections.catalog import PROJECTIONS
from projections.engine.find import ReadModels
from projections.engine.progress import Progress
from projections.engine.store import Rebuilding
from projections.work.task import tasks_of_project
from runtime.log_reader import LogReader
from runtime.outages import StoreOutage
from runtime.system import System
from workers.leaving import follow_up

S = TypeVar("S", bound=State)

_SWEEP_S = 1.0
_PROJECTED_S = 5.0
_PAGE = 100
_OF_A_PROJECT = (
    ProjectVisibilityChanged,
    ProjectMemberRemoved,
    ProjectLeadAssigned,
    ProjectTeamLinked,
)
_OF_A_TEAM = (TeamMemberRemoved, TeamDeleted)
_TAGS = tuple(tag_of(event) for event in (*_OF_A_PROJECT, *_OF_A_TEAM, MemberRoleChanged))
_logger = logging.getLogger(__name__)


class _Listed(msgspec.Struct, frozen=True):
    """What is needed of a task in a list."""

    id: TaskId
    assignees: tuple[UserId, ...] = ()
    watchers: tuple[UserId, ...] = ()


_listed = msgspec.json.Decoder(_Listed).decode


class LosingSight:
    """Acts on every event by which somebody may no longer see a private project."""

    def __init__(self, system: System, progress: Progress | None = None) -> None:
        self._system = system
        self._reader = LogReader(system, "losing sight", _TAGS)
        self._progress = progress or Progress(system.read_store, system.log)
        self._models = ReadModels(system.read_store, self._progress, PROJECTIONS)

    async def run(self) -> None:
        """Act until cancelled."""
        wait = self._system.wakeups.listener()
        while True:
            try:
                await self.act()
            except (*StoreOutage, Rebuilding, ConcurrencyConflict) as error:
                _logger.warning("what follows for those who lost sight waits: %s", error)
                self._reader.doubt()
                await asyncio.sleep(_SWEEP_S)
            await wait(_SWEEP_S)

    async def act(self) -> None:
        """Act on everything that happened since the last time.

        :raises ReadStoreUnavailable: the tasks cannot be listed; nothing is forgotten.
        :raises LogUnavailable: nothing can be recorded.
        """
        async for found in self._reader.new():
            for row in found.rows:
                await self._act_on(row, found.part)
            await self._system.operations.keep_mails(found.end, [])

    async def _act_on(self, row: Row, part: int) -> None:
        try:
            [cause] = await self._system.log.decoded([row])
        except (msgspec.MsgspecError, KeyError):
            _logger.error("event %d of partition %d cannot be read", row.position, part)  # noqa: TRY400 - its trace says nothing more
            return
        for project_id in await self._concerned(cause):
            if not await self._progress.reached("tasks", row.position, _PROJECTED_S, part):
                raise Rebuilding(0.0)
            await self._release(row.org_id, project_id, cause)

    async def _concerned(self, cause: Recorded) -> list[ProjectId]:
        """Return the private projects that somebody may have lost sight of."""
        org_id = cause.org_id
        private = await self._system.log.claimed(org_id, PRIVATE_PROJECT, org_id)
        event, states = cause.event, self._system.commands.states
        if isinstance(event, _OF_A_PROJECT):
            private = [each for each in private if each == cause.stream_id]
        if isinstance(event, _OF_A_TEAM):
            found = await states.all_fresh([(Project, each) for each in private], org_id)
            private = [
                each
                for each, project in zip(private, found, strict=True)
                if project.state.team_id == cause.stream_id
            ]
        return [ProjectId(each) for each in private]

    async def _release(self, org_id: OrgId, project_id: ProjectId, cause: Recorded) -> None:
        """Let everybody go of the tasks of a project who no longer sees it."""
        known: dict[UserId, bool] = {}
        async for task in self._tasks(org_id, project_id):
            for user in dict.fromkeys((*task.assignees, *task.watchers)):
                user_id = UserId(user)
                if user_id not in known:
                    known[user_id] = await self._sees(org_id, project_id, user_id)
                if not known[user_id]:
                    command = ReleaseWithoutSight(task_id=task.id, user_id=user_id)
                    await follow_up(self._system, command, cause)

    async def _sees(self, org_id: OrgId, project_id: ProjectId, user_id: UserId) -> bool:
        states = self._system.commands.states

        async def read(kind: type[S], stream: UUID, /) -> S:
            return await states.fresh(kind, stream, org_id)

        try:
            return await sees_project(read, org_id, user_id, await read(Project, project_id))
        except NotFound:
            return False

    async def _tasks(self, org_id: OrgId, project_id: ProjectId) -> AsyncIterator[_Listed]:
        below: int | None = None
        while True:
            page = await tasks_of_project(
                self._models, org_id, project_id, limit=_PAGE, below=below
            )
            for item in page.items:
                yield _listed(item)
            if page.next_key is None:
                return
            below = page.next_key
