"""Any sequence of commands by anybody leaves the log as a simple model says it must be."""

from typing import Any
from uuid import uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, invariant, rule

from commands.identity.organization import EditMember
from commands.plan_counts import tasks_in
from commands.relation_counts import children, open_subtasks, subtasks
from commands.work.project import (
    CreateProject,
    DeleteProject,
    ProjectCommand,
    RestoreProject,
    UnarchiveProject,
)
from commands.work.task import ChangeTaskStatus, EditTask
from commands.work.task_create import CreateTask
from commands.work.trash.task import DeleteTask, RestoreTask
from commands.work.trash.things import Thing
from domain.base import ERASED, ProjectId, TaskId, UserId
from domain.identity.organization.membership import Role
from domain.permission import Permission
from domain.work.task.events import TaskStatus
from domain.work.task.state import LEVELS_MAX
from domain.work.trash import TrashKind
from domain.work.workflow.events import FINISHED, STARTED
from tests.commands.machines.patience import examples
from tests.commands.machines.world import ACTIVE, ARCHIVED, NONE, ON_HOLD, PEOPLE, World
from tests.commands.piece import MOVES, Piece, above, piece_of
from tests.domain.spec import ACME
from tests.eventstore.crowd import check_gapless


class Company(World):
    """People who make projects and tasks, change, delete and restore them, and change roles."""

    projects: Bundle[ProjectId] = Bundle("projects")
    tasks: Bundle[TaskId] = Bundle("tasks")

    # Projects and members ---------------------------------------------------

    @rule(target=projects, by=PEOPLE, key=st.sampled_from(["ENG", "OPS", "HR"]))
    def create_project(self, by: UserId, key: str) -> Any:
        project = ProjectId(uuid4())
        command = CreateProject(project_id=project, key=key, name=key)
        right = self.may(by, command.needs) and key not in self.keys
        if not self.passes(command, by, right):
            return NONE
        self.keys.add(key)
        self.statuses[project] = ACTIVE
        self.invited[project] = {by}
        return project

    @rule(project=projects, by=PEOPLE, kind=st.sampled_from(list(MOVES)))
    def move_project(self, project: ProjectId, by: UserId, kind: type[ProjectCommand]) -> None:
        to, allowed = MOVES[kind]
        here = project not in self.trash and self.statuses[project] in allowed
        if self.passes(kind(project_id=project), by, self.may(by, kind.needs, project) and here):
            self.statuses[project] = to

    @rule(project=projects, by=PEOPLE)
    def unarchive_project(self, project: ProjectId, by: UserId) -> None:
        right = self.may(by, UnarchiveProject.needs, project) and project not in self.trash
        passed = self.passes(UnarchiveProject(project_id=project), by, right)
        if passed and self.statuses[project] is ARCHIVED:
            self.statuses[project] = ACTIVE

    @rule(project=projects, by=PEOPLE)
    def delete_project(self, project: ProjectId, by: UserId) -> None:
        right = self.may(by, DeleteProject.needs, project) and project not in self.trash
        if self.passes(DeleteProject(project_id=project), by, right):
            self.trash.add(project)

    @rule(project=projects, by=PEOPLE)
    def restore_project(self, project: ProjectId, by: UserId) -> None:
        right = self.may(by, RestoreProject.needs, project) and project not in self.purged
        right = right and (project not in self.trash or self.fits_back(project))
        if self.passes(RestoreProject(project_id=project), by, right):
            self.trash.discard(project)

    @rule(who=PEOPLE, by=PEOPLE, role=st.sampled_from(Role))
    def change_role(self, who: UserId, by: UserId, role: Role) -> None:
        command = EditMember(organization_id=ACME, user_id=who, role=role)
        admins = [user for user, held in self.roles.items() if held is Role.ADMIN]
        last = admins == [who] and role is not Role.ADMIN
        right = self.may(by, command.needs) and who in self.roles and not last
        if self.passes(command, by, right):
            self.roles[who] = role

    # Tasks ------------------------------------------------------------------

    @rule(target=tasks, project=projects, by=PEOPLE)
    def create_task(self, project: ProjectId, by: UserId) -> Any:
        task = TaskId(uuid4())
        command = CreateTask(task_id=task, project_id=project, title="One")
        active = project not in self.trash and self.statuses[project] is ACTIVE
        if not self.passes(command, by, self.may(by, command.needs, project) and active):
            return NONE
        self.add(task, Piece(project, self.next_number(project), by))
        return task

    @rule(target=tasks, parent=tasks, by=PEOPLE)
    def create_subtask(self, parent: TaskId, by: UserId) -> Any:
        task, project = TaskId(uuid4()), self.pieces[parent].project
        command = CreateTask(task_id=task, project_id=project, title="One", parent_id=parent)
        active = project not in self.trash and self.statuses[project] is ACTIVE
        right = self.may(by, command.needs, project) and active and self.shown(parent)
        right = right and self.level(parent) < LEVELS_MAX
        if not self.passes(command, by, right):
            return NONE
        self.add(task, Piece(project, self.next_number(project), by, parent=parent))
        return task

    def add(self, task: TaskId, piece: Piece) -> None:
        piece.status, piece.group = self.start(piece.project)
        self.pieces[task] = piece

    @rule(task=tasks, by=PEOPLE, title=st.sampled_from(["One", "Two"]))
    def retitle(self, task: TaskId, by: UserId, title: str) -> None:
        piece = self.pieces[task]
        here = self.editable(piece.project) and self.shown(task)
        command = EditTask(task_id=task, title=title)
        if self.passes(command, by, self.may(by, command.needs, piece.project) and here):
            piece.title = title

    @rule(task=tasks, by=PEOPLE, to=st.sampled_from(TaskStatus), force=st.booleans())
    def move_task(self, task: TaskId, by: UserId, to: TaskStatus, force: bool) -> None:
        self.change_status(task, by, to, force)

    def change_status(self, task: TaskId, by: UserId, to: str, force: bool) -> bool:
        """Change the status of *task*; return whether it changes."""
        piece, (at, group) = self.pieces[task], self.place(task)
        right = self.may(by, Permission.TASK_EDIT, piece.project) and self.shown(task)
        right = right and self.editable(piece.project)
        right = right and (not force or self.may(by, Permission.TASK_FORCE))
        step = self.step(piece.project, at, to)
        if right and to != at:
            right = step is not None
            if step is not None:
                group, guards = step
                leads = by == piece.creator or self.roles[by] is not Role.MEMBER
                held = self.statuses[piece.project] is ON_HOLD and group in STARTED
                right = not held and (leads or self.is_open(task) or group in FINISHED)
                right = right and (force or not self.is_held_up(task, guards))
        if not self.passes(ChangeTaskStatus(task_id=task, to=to, force=force), by, right):
            return False
        if to != at:
            piece.status, piece.group = to, group
        return to != at

    @rule(task=tasks, by=PEOPLE, kind=st.sampled_from([DeleteTask, RestoreTask]))
    def trash_task(self, task: TaskId, by: UserId, kind: type[DeleteTask | RestoreTask]) -> None:
        piece = self.pieces[task]
        own = by in self.roles and by == piece.creator
        right = (self.may(by, Permission.TASK_DELETE) or own) and self.sees(by, piece.project)
        right = right and piece.project not in self.trash
        right = right and (piece.parent is None or self.shown(piece.parent))
        right = right and (kind is RestoreTask or task not in self.trash)
        right = right and task not in self.purged
        below = [each for each in self.pieces if task in above(self.pieces, each)]
        gone = task in self.trash
        if self.passes(kind(task_id=task, below=tuple(below)), by, right):
            (self.trash.add if kind is DeleteTask else self.trash.discard)(task)
            if kind is RestoreTask and gone:
                for each in filter(self.shown, (task, *below)):
                    self.came_back(each)

    def came_back(self, task: TaskId) -> None:
        """Note that *task* is in the trash no more, with what else follows from it."""

    @rule(task=tasks, by=PEOPLE)
    def purge_task(self, task: TaskId, by: UserId) -> None:
        if self.purges(Thing(TrashKind.TASK, task), by):
            self.pieces[task].title = ERASED

    @rule(project=projects, by=PEOPLE)
    def purge_project(self, project: ProjectId, by: UserId) -> None:
        self.purges(Thing(TrashKind.PROJECT, project), by)

    # What must hold at all times --------------------------------------------

    @invariant()
    def replaying_the_log_gives_the_model(self) -> None:
        for project, status in self.statuses.items():
            found = self.replayed(project)
            assert (found.status, found.deleted) == (status, project in self.trash)
        for task, piece in self.pieces.items():
            found = self.replayed(task)
            assert (piece_of(found), found.deleted) == (piece, task in self.trash)
        members = self.replayed(ACME).members
        assert {user: member.role for user, member in members.items()} == self.roles

    @invariant()
    def the_counts_are_those_of_the_model(self) -> None:
        here = [piece for task, piece in self.pieces.items() if self.shown(task)]
        expected = {open_subtasks(ACME, task): self.open_below(task) for task in self.pieces}
        for task in self.pieces:
            below = [each for each, one in self.pieces.items() if one.parent == task]
            expected[children(ACME, task)] = len(below)
            expected[subtasks(ACME, task)] = sum(each not in self.trash for each in below)
        for project in self.statuses:
            for status in self.keys_in(project):
                count = sum((p.project, p.status) == (project, status) for p in here)
                expected[tasks_in(ACME, project, status)] = count
        found = self.run(self.log.counted(*expected))
        assert found == list(expected.values())

    @invariant()
    def what_is_kept_in_memory_is_what_the_log_says(self) -> None:
        for handler in self.handlers:
            for stream in (ACME, *self.statuses, *self.pieces):
                known = handler.states.cache.get(stream)
                if known is not None:
                    assert known.state == self.replayed(stream, known.version)

    @invariant()
    def the_log_has_no_gap(self) -> None:
        check_gapless(self.store)


Company.TestCase.settings = settings(max_examples=examples(20), stateful_step_count=25)
TestCompany = Company.TestCase
