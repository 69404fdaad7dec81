"""What is true of every command on a task that is there."""

import pytest

from commands.base import Command
from commands.work.task import AssignTask, ChangeTaskStatus, EditTask, UnassignTask
from commands.work.task_label import UnlabelTask
from commands.work.task_move import MoveTask
from commands.work.task_rank import RankTask
from commands.work.task_watch import UnwatchTask, WatchTask
from commands.work.trash.task import DeleteTask, RestoreTask
from domain.base import LabelId, NotFound
from domain.identity.organization.events import OrganizationDeleted
from domain.identity.organization.membership import MemberDeactivated
from domain.work.project.errors import ProjectIsArchived
from domain.work.project.events import ProjectArchived, ProjectDeleted
from domain.work.task.errors import ParentInTrash
from domain.work.task.events import TaskDeleted, TaskStatus
from tests.commands.acme import (
    CHILD,
    FOREIGN_TASK,
    HERE,
    PROJECT,
    STRANGERS,
    TEAM,
    task,
)
from tests.domain.spec import ACME, BEN, DAN, ENG, TASK
from tests.spec import given, on

ARCHIVED, IN_TRASH = on(ENG, ProjectArchived()), on(ENG, ProjectDeleted())
GONE = on(TASK, TaskDeleted())

EVERY = [
    EditTask(task_id=TASK, title="New"),
    ChangeTaskStatus(task_id=TASK, to=TaskStatus.IN_PROGRESS),
    AssignTask(task_id=TASK, user_id=BEN),
    UnassignTask(task_id=TASK, user_id=BEN),
    UnlabelTask(task_id=TASK, label_id=LabelId(ENG)),
    RankTask(task_id=TASK, beside=CHILD, before=True, neighbor=None),
    MoveTask(task_id=TASK, project_id=ENG),
    WatchTask(task_id=TASK, user_id=BEN),
    UnwatchTask(task_id=TASK, user_id=BEN),
    DeleteTask(task_id=TASK),
    RestoreTask(task_id=TASK),
]
EVERY_EDIT = EVERY[:9]


def names(command: object) -> str:
    return type(command).__name__


@pytest.mark.parametrize("command", EVERY, ids=names)
class TestEveryTaskCommand:
    def test_task_commands_find_no_missing_task(self, command: Command) -> None:
        given(TEAM, PROJECT).when(command).then_refused(NotFound)

    def test_task_commands_find_nothing_in_a_deleted_project(self, command: Command) -> None:
        error = ParentInTrash if isinstance(command, RestoreTask) else NotFound
        given(*HERE, IN_TRASH).when(command).then_refused(error)

    def test_task_commands_find_nothing_of_another_organization(self, command: Command) -> None:
        theirs = type(command)(**_fields(command) | {"task_id": FOREIGN_TASK})
        given(*HERE, *STRANGERS).when(theirs).then_refused(NotFound)

    def test_task_commands_find_nothing_by_the_id_of_another_resource(
        self, command: Command
    ) -> None:
        for wrong in (ENG, ACME):
            mistaken = type(command)(**_fields(command) | {"task_id": wrong})
            given(*HERE).when(mistaken).then_refused(NotFound)

    def test_task_commands_find_nothing_for_a_stranger(self, command: Command) -> None:
        given(*HERE).when(command, by=DAN).then_refused(NotFound)

    def test_task_commands_find_nothing_for_a_deactivated_member(self, command: Command) -> None:
        closed = on(ACME, MemberDeactivated(user_id=BEN))
        given(*HERE, closed).when(command, by=BEN).then_refused(NotFound)

    def test_task_commands_find_nothing_in_a_deleted_organization(self, command: Command) -> None:
        given(*HERE, on(ACME, OrganizationDeleted())).when(command).then_refused(NotFound)


@pytest.mark.parametrize("command", EVERY_EDIT, ids=names)
class TestEveryEditOfATask:
    def test_edits_of_tasks_are_refused_in_an_archived_project(self, command: Command) -> None:
        given(*HERE, ARCHIVED).when(command).then_refused(ProjectIsArchived)

    def test_edits_of_tasks_find_no_deleted_task(self, command: Command) -> None:
        given(*HERE, GONE).when(command).then_refused(NotFound)


@pytest.mark.parametrize("command", EVERY[:10], ids=names)
def test_edits_of_tasks_find_no_task_below_a_deleted_one(command: Command) -> None:
    hidden = (on(CHILD, task(2)), on(TASK, task(parent=CHILD)), on(CHILD, TaskDeleted()))
    given(TEAM, PROJECT, *hidden).when(command).then_refused(NotFound)


def test_a_deleted_task_cannot_be_deleted_again() -> None:
    given(*HERE, GONE).when(DeleteTask(task_id=TASK)).then_refused(NotFound)


def _fields(command: Command) -> dict[str, object]:
    return {name: getattr(command, name) for name in command.__struct_fields__}
