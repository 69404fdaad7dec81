"""Any sequence of commands on where tasks belong, and on their labels, beside the model."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from commands.work.label import DeleteLabel, RestoreLabel
from commands.work.task import EditTask
from commands.work.task_label import LabelTask, UnlabelTask
from commands.work.task_move import MoveTask
from commands.work.task_rank import RankTask
from domain.base import LabelId, ProjectId, TaskId, UserId
from domain.permission import Permission
from domain.work.task.state import LEVELS_MAX
from tests.commands.piece import LABELS
from tests.commands.test_machine import ACTIVE, PEOPLE, Company


class Board(Company):
    """The company, whose tasks get parents, ranks, labels and other projects."""

    projects, tasks = Company.projects, Company.tasks

    def below(self, task: TaskId) -> list[TaskId]:
        """Return the subtasks of a task at all levels."""
        own = [each for each, piece in self.pieces.items() if piece.parent == task]
        return [*own, *(further for each in own for further in self.below(each))]

    @rule(task=tasks, parent=st.one_of(st.none(), tasks), by=PEOPLE)
    def reparent(self, task: TaskId, parent: TaskId | None, by: UserId) -> None:
        piece, below = self.pieces[task], self.below(task)
        right = self.may(by, Permission.TASK_EDIT, piece.project) and self.shown(task)
        right = right and self.editable(piece.project)
        if right and parent is not None and parent != piece.parent:
            height = max(self.level(each) for each in (task, *below)) - self.level(task)
            right = parent not in self.trash and parent not in (task, *below)
            right = right and self.pieces[parent].project == piece.project
            right = right and self.level(parent) + 1 + height <= LEVELS_MAX
        if self.passes(EditTask(task_id=task, parent_id=parent, below=tuple(below)), by, right):
            piece.parent = parent

    @rule(task=tasks, project=projects, by=PEOPLE)
    def move_to_project(self, task: TaskId, project: ProjectId, by: UserId) -> None:
        piece, below = self.pieces[task], self.below(task)
        right = self.may(by, Permission.TASK_EDIT, piece.project) and self.shown(task)
        right = right and self.editable(piece.project)
        right = right and project not in self.trash and self.statuses[project] is ACTIVE
        right = right and self.sees(by, project)
        command = MoveTask(task_id=task, project_id=project, below=tuple(below))
        if self.passes(command, by, right) and project != piece.project:
            piece.parent = None
            for each in (task, *below):
                self.pieces[each].number = self.next_number(project)
                self.pieces[each].project = project

    @rule(task=tasks, beside=tasks, by=PEOPLE, before=st.booleans())
    def rank(self, task: TaskId, beside: TaskId, by: UserId, before: bool) -> None:
        piece = self.pieces[task]
        right = self.may(by, Permission.TASK_EDIT, piece.project) and self.shown(task)
        right = right and self.editable(piece.project) and beside not in self.trash
        right = right and beside != task and self.pieces[beside].project == piece.project
        order = [each for each in self.in_order(piece.project) if each != task]
        neighbor = None
        if right:
            at = order.index(beside) + (-1 if before else 1)
            neighbor = order[at] if 0 <= at < len(order) else None
        command = RankTask(task_id=task, beside=beside, before=before, neighbor=neighbor)
        if self.passes(command, by, right):
            order.insert(order.index(beside) + (not before), task)
            assert self.in_order(piece.project) == order

    def in_order(self, project: ProjectId) -> list[TaskId]:
        """Return the tasks of a project in the order of their ranks, also those in the trash."""
        there = [each for each, piece in self.pieces.items() if piece.project == project]
        return sorted(there, key=lambda each: self.replayed(each).rank)

    @rule(task=tasks, label=st.sampled_from(LABELS), by=PEOPLE, on=st.booleans())
    def label(self, task: TaskId, label: LabelId, by: UserId, on: bool) -> None:
        piece = self.pieces[task]
        right = self.may(by, Permission.TASK_EDIT, piece.project) and self.shown(task)
        right = right and self.editable(piece.project)
        right = right and not (on and label in self.trash)
        kind = LabelTask if on else UnlabelTask
        if self.passes(kind(task_id=task, label_id=label), by, right):
            (piece.labels.add if on else piece.labels.discard)(label)

    @rule(label=st.sampled_from(LABELS), by=PEOPLE)
    def delete_or_restore_label(self, label: LabelId, by: UserId) -> None:
        kind = RestoreLabel if label in self.trash else DeleteLabel
        if self.passes(kind(label_id=label), by, self.may(by, kind.needs)):
            (self.trash.discard if kind is RestoreLabel else self.trash.add)(label)


Board.TestCase.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
TestBoard = Board.TestCase
