"""Leaving: when somebody leaves an organization, their open tasks, teams and projects lose them.

Their sessions and keys end, too.

Each consequence is a command that names the event that caused it. Acting twice changes nothing, so
that several workers, or a log that was set back, do no harm.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec

from commands.base import Command, Context
from commands.identity.leaving import EndSessionsOfFormerMember, RevokeKeyOfFormerMember
from commands.work.leaving import UnassignFormerMember
from commands.work.losing_sight import (
    RemoveFormerMemberFromProject,
    RemoveFormerMemberFromTeam,
)
from domain.base import ApiKeyId, DomainError, OrgId, ProjectId, TaskId, TeamId, UserId
from domain.catalog import tag_of
from domain.identity.organization.membership import MemberLeft
from eventstore.append import ConcurrencyConflict
from eventstore.recorded import Actor, ActorKind, Recorded, Row
from projections.catalog import PROJECTIONS
from projections.engine.find import ReadModels
from projections.engine.progress import Progress
from projections.engine.store import Rebuilding
from projections.identity.api_key import api_keys_of
from projections.work.project import projects_of, projects_of_person
from projections.work.task import TaskFilter, tasks_of_project
from projections.work.team import teams_of
from runtime.log_reader import LogReader
from runtime.outages import StoreOutage
from runtime.system import System

_SWEEP_S = 1.0
_PROJECTED_S = 5.0
_PAGE = 100
_TAGS = (tag_of(MemberLeft),)
_logger = logging.getLogger(__name__)


class _Named(msgspec.Struct, frozen=True):
    """What is needed of a project or task in a list."""

    id: str


_named = msgspec.json.Decoder(_Named).decode


class Leaving:
    """Acts on every event by which somebody left an organization."""

    def __init__(self, system: System, progress: Progress | None = None) -> None:
        self._system = system
        self._reader = LogReader(system, "leaving", _TAGS)
        self._progress = progress or Progress(system.read_store, system.log)
        self._models = ReadModels(system.read_store, self._progress, PROJECTIONS)

    async def run(self) -> None:
        """Act until cancelled."""
        wait = self._system.wakeups.listener()
        while True:
            try:
                await self.act()
            except (*StoreOutage, Rebuilding, ConcurrencyConflict) as error:
                _logger.warning("what follows for those who left waits: %s", error)
                self._reader.doubt()
                await asyncio.sleep(_SWEEP_S)
            await wait(_SWEEP_S)

    async def act(self) -> None:
        """Act on everybody who left since the last time.

        :raises ReadStoreUnavailable: their tasks cannot be listed; nothing is forgotten.
        :raises LogUnavailable: nothing can be recorded.
        """
        async for found in self._reader.new():
            for row in found.rows:
                await self._act_on(row, found.part)
            await self._system.operations.keep_mails(found.end, [])

    async def _act_on(self, row: Row, part: int) -> None:
        try:
            [left] = await self._system.log.decoded([row])
        except (msgspec.MsgspecError, KeyError):
            _logger.error("event %d of partition %d cannot be read", row.position, part)  # noqa: TRY400 - its trace says nothing more
            return
        event = left.event
        assert isinstance(event, MemberLeft)  # noqa: S101  the only event asked for
        await follow_up(self._system, EndSessionsOfFormerMember(user_id=event.user_id), left)
        for model in ("tasks", "api_keys", "teams", "projects"):
            if not await self._progress.reached(model, row.position, _PROJECTED_S, part):
                raise Rebuilding(0.0)
        async for key_id in self._keys_of(row.org_id, event.user_id):
            await follow_up(self._system, RevokeKeyOfFormerMember(api_key_id=key_id), left)
        async for team_id in self._teams_of(row.org_id, event.user_id):
            command = RemoveFormerMemberFromTeam(team_id=team_id, user_id=event.user_id)
            await follow_up(self._system, command, left)
        for project_id in await projects_of_person(self._models, row.org_id, event.user_id):
            gone = RemoveFormerMemberFromProject(project_id=project_id, user_id=event.user_id)
            await follow_up(self._system, gone, left)
        async for task_id in self._tasks_of(row.org_id, event.user_id):
            await follow_up(
                self._system, UnassignFormerMember(task_id=task_id, user_id=event.user_id), left
            )

    async def _keys_of(self, org_id: OrgId, user_id: UserId) -> AsyncIterator[ApiKeyId]:
        after: str | None = None
        while True:
            keys = await api_keys_of(self._models, org_id, user_id, limit=_PAGE, after=after)
            for key in map(_named, keys.items):
                yield ApiKeyId(UUID(key.id))
            if keys.next_key is None:
                return
            after = keys.next_key

    async def _teams_of(self, org_id: OrgId, user_id: UserId) -> AsyncIterator[TeamId]:
        after: str | None = None
        while True:
            teams = await teams_of(self._models, org_id, user_id, limit=_PAGE, after=after)
            for team in map(_named, teams.items):
                yield TeamId(UUID(team.id))
            if teams.next_key is None:
                return
            after = teams.next_key

    async def _tasks_of(self, org_id: OrgId, user_id: UserId) -> AsyncIterator[TaskId]:
        """Yield the tasks that somebody is assigned to; their projects are read one by one."""
        after: str | None = None
        while True:
            projects = await projects_of(self._models, org_id, limit=_PAGE, after=after)
            for project in map(_named, projects.items):
                async for task in self._tasks_in(org_id, ProjectId(UUID(project.id)), user_id):
                    yield task
            if projects.next_key is None:
                return
            after = projects.next_key

    async def _tasks_in(
        self, org_id: OrgId, project_id: ProjectId, user_id: UserId
    ) -> AsyncIterator[TaskId]:
        wanted, below = TaskFilter(assignee=user_id), None
        while True:
            tasks = await tasks_of_project(
                self._models, org_id, project_id, wanted, limit=_PAGE, below=below
            )
            for task in map(_named, tasks.items):
                yield TaskId(UUID(task.id))
            if tasks.next_key is None:
                return
            below = tasks.next_key


async def follow_up(system: System, command: Command, cause: Recorded) -> None:
    """Run *command* as the system because *cause* happened; a refusal means it is not needed.

    :raises LogUnavailable: nothing can be recorded.
    """
    context = Context(
        actor=Actor(ActorKind.SYSTEM, cause.org_id),
        now=system.clock(),
        org_id=cause.org_id,
        correlation_id=cause.metadata.correlation_id,
        causation_id=cause.id,
    )
    try:
        await system.commands.handle(command, context)
    except DomainError as refused:
        _logger.info("%s is not needed: %s", type(command).__name__, refused)
