"""Keeps from members of a fork what they do not see, or may not do, in the original any more.

Whoever is not in a team any more, or leads it no more, is not and does not in the fork either. Who
sees a private project of the fork is decided by what the fork itself says of it. So where the
original shows something to fewer people now, events at the end of what is copied say the same in
the fork: a project is private, and whoever lost sight of it is neither a member of it nor its lead.
If a task has gone to a private project since, only those who see that one see where it was before.
And a view that its owner has made private since is private.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from commands.claims.views import view_name_claim
from commands.fork.survey import COPIED_AT_ONCE, Survey, rows_up_to
from commands.sight import PrivateProjects, private_projects
from commands.states import Loaded, StateCache, States
from domain.base import Event, ProjectId, TaskId, UserId
from domain.catalog import tag_of
from domain.identity.organization.state import Organization
from domain.planning.view import SavedView, ViewDeleted, ViewUnshared
from domain.sight import sees
from domain.work.project.events import ProjectEvent
from domain.work.project.narrowing import kept_by, shown_to_fewer
from domain.work.project.state import Project
from domain.work.task.events import TaskMoved
from domain.work.task.state import Task
from domain.work.team import Team
from eventstore.log import EventLog

_MOVED, _UNSHARED = tag_of(TaskMoved), tag_of(ViewUnshared)


class Narrowed(NamedTuple):
    """Events of a team, a view or a project of the fork, which follow its *version*."""

    stream: UUID
    version: int
    events: Sequence[Event]


class Narrowing:
    """Compares who sees what in the original now, and in what is copied of it."""

    def __init__(self, log: EventLog, survey: Survey, then: Iterable[UserId]) -> None:
        """*then* are the members that the original had."""
        self._log, self._survey, self._then = log, survey, frozenset(then)
        self._org_id, self._fork = survey.ids.org_id, survey.ids.fork
        self._states = States(log, StateCache())

    async def find(self) -> AsyncIterator[Narrowed]:
        """Yield what has to be recorded in the fork, once all is copied; nothing if it is."""
        await self._look_at_what_happened_since()
        async for team in self._teams():
            yield team
        async for view in self._views():
            yield view
        organization = await self._states.fresh(Organization, self._org_id, self._org_id)
        private = await private_projects(self._log, self._states, organization, self._org_id)
        for project_id, those in (await self._concerned(private)).items():
            [found] = await self._states.all_fresh([(Project, project_id)], self._fork)
            events = await self._narrowed(found, _Seeing(private, those))
            if events:
                yield Narrowed(project_id, found.version, events)

    async def _look_at_what_happened_since(self) -> None:
        """Find the tasks that were moved, and the views that were made private."""
        self._since = {_MOVED: set[UUID](), _UNSHARED: set[UUID]()}
        head = await self._log.organization_head(self._org_id)
        async for rows in rows_up_to(self._log, self._org_id, self._survey.at, head):
            for row in rows:
                if row.tag in self._since and self._survey.ids.copies(row.stream_id):
                    self._since[row.tag].add(row.stream_id)

    async def _views(self) -> AsyncIterator[Narrowed]:
        """Yield what makes views private that are so now.

        If their owner had a private view of that name, they are in the trash.
        """
        for each in self._since[_UNSHARED]:
            stream = self._survey.ids.of(each)
            now = await self._states.fresh(SavedView, each, self._org_id)
            [then] = await self._states.all_fresh([(SavedView, stream)], self._fork)
            view: SavedView = then.state
            if now.shared or not view.shared:
                continue
            events: list[Event] = [ViewUnshared()]
            name = view_name_claim(
                self._log.keys.fingerprint, self._fork, replace(view, shared=False)
            )
            if not view.deleted and await self._log.holders([name]):
                events.insert(0, ViewDeleted(project_id=view.project_id, owner=view.created_by))
            yield Narrowed(stream, then.version, events)

    async def _teams(self) -> AsyncIterator[Narrowed]:
        """Yield what lets go of whoever is no longer in a team, or does not lead it any more."""
        ids, teams = self._survey.ids, self._survey.teams
        for start in range(0, len(teams), COPIED_AT_ONCE):
            some = teams[start : start + COPIED_AT_ONCE]
            copies = [ids.of(each) for each in some]
            now = await self._states.all_fresh([(Team, each) for each in some], self._org_id)
            then = await self._states.all_fresh([(Team, each) for each in copies], self._fork)
            for stream, was, one in zip(copies, then, now, strict=True):
                events = kept_by(was.state, one.state)
                if events:
                    yield Narrowed(stream, was.version, events)

    async def _concerned(self, private: PrivateProjects) -> dict[UUID, set[ProjectId]]:
        """Return, for projects of the fork, those of the original that what is in them is in."""
        ids = self._survey.ids
        found = {ids.of(each): {each} for each in private.projects if ids.copies(each)}
        async for task_id, now in self._moved_since():
            if now is not None and now in private.projects:
                then = await self._states.fresh(Task, ids.of(task_id), self._fork)
                if then.project_id is not None:
                    found.setdefault(then.project_id, set()).add(now)
        return found

    async def _moved_since(self) -> AsyncIterator[tuple[TaskId, ProjectId | None]]:
        """Yield the copied tasks that were moved since, with the projects that they are in now."""
        moved = list(self._since[_MOVED])
        for start in range(0, len(moved), COPIED_AT_ONCE):
            some = moved[start : start + COPIED_AT_ONCE]
            tasks = await self._states.all_fresh([(Task, each) for each in some], self._org_id)
            for task_id, found in zip(some, tasks, strict=True):
                yield TaskId(task_id), found.state.project_id

    async def _narrowed(self, found: Loaded[Any], seeing: "_Seeing") -> list[ProjectEvent]:
        """Return what hides a project of the fork from whoever does not see those it tells of."""
        project: Project = found.state
        if project.purged:
            return []
        team = None
        if project.team_id is not None:
            team = await self._states.fresh(Team, project.team_id, self._fork)
        others = [each for each in seeing.people() if each in self._then]
        return shown_to_fewer(project, team, others, seeing.sees_all, seeing.has_left)


class _Seeing(NamedTuple):
    """Who sees some private projects of the original now."""

    private: PrivateProjects
    those: set[ProjectId]

    def people(self) -> list[UserId]:
        """Return those who take part in one of them."""
        found: dict[UserId, None] = {}
        for each in sorted(self.those, key=lambda one: one.int):
            project, team = self.private.with_team(each)
            leads = () if project.lead_id is None else (project.lead_id,)
            found |= dict.fromkeys((*project.members, *leads, *(team.members if team else ())))
        return list(found)

    def sees_all(self, user_id: UserId) -> bool:
        """Return whether somebody sees all of them, or would if they were active."""
        member = self.private.organization.members.get(user_id)
        return member is not None and all(
            sees(project, user_id, member.role, team)
            for project, team in map(self.private.with_team, self.those)
        )

    def has_left(self, user_id: UserId) -> bool:
        """Return whether somebody is no member of the original any more."""
        return user_id not in self.private.organization.members
