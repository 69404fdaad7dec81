"""Any sequence of commands on where tasks belong, their labels and plans, beside the model."""

from uuid import uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from commands.claims.planning import planned_open_tasks, planned_tasks
from commands.work.label import DeleteLabel, RestoreLabel
from commands.work.task import EditTask
from commands.work.task_label import LabelTask, UnlabelTask
from commands.work.task_move import MoveTask
from commands.work.task_plan import Planned
from commands.work.task_rank import RankTask
from domain.base import LabelId, MilestoneId, ProjectId, TaskId, UserId
from domain.permission import Permission
from domain.work.task.state import LEVELS_MAX
from tests.commands.machines.patience import examples
from tests.commands.machines.world import ACTIVE, PEOPLE
from tests.commands.piece import LABELS
from tests.commands.planning.plans import milestone
from tests.commands.test_machine import Company
from tests.domain.spec import ACME
from tests.spec import on, record


class Board(Company):
    """The company, whose tasks get parents, ranks, labels, a milestone and other projects."""

    projects, tasks = Company.projects, Company.tasks

    def __init__(self) -> None:
        super().__init__()
        self.milestones: dict[ProjectId, MilestoneId] = {}

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
                self.settle(each, project)
                self.pieces[each].number = self.next_number(project)
                self.pieces[each].project = project
                self.pieces[each].planned = False

    def settle(self, task: TaskId, project: ProjectId) -> None:
        """Put *task* into the status that it gets in *project*."""
        self.pieces[task].status, self.pieces[task].group = self.place_in(task, project)

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
        right = right and not (on and label in self.trash - piece.labels)
        kind = LabelTask if on else UnlabelTask
        if self.passes(kind(task_id=task, label_id=label), by, right):
            (piece.labels.add if on else piece.labels.discard)(label)

    @rule(task=tasks, by=PEOPLE, planned=st.booleans())
    def put_towards(self, task: TaskId, by: UserId, planned: bool) -> None:
        piece = self.pieces[task]
        right = self.may(by, Permission.TASK_EDIT, piece.project) and self.shown(task)
        right = right and self.editable(piece.project)
        to = self.milestone_of(piece.project) if planned else None
        if self.passes(EditTask(task_id=task, planned=Planned(milestone_id=to)), by, right):
            piece.planned = planned

    def milestone_of(self, project: ProjectId) -> MilestoneId:
        """Return the milestone of a project, which gets it now unless it has one, or cannot."""
        if project not in self.milestones:
            if not self.editable(project):
                return MilestoneId(uuid4())
            self.milestones[project] = MilestoneId(uuid4())
            created = milestone(project=project)
            self.run(record(self.log, on(self.milestones[project], created)))
        return self.milestones[project]

    @invariant()
    def milestones_count_what_is_planned_and_shown(self) -> None:
        shown = {task: piece for task, piece in self.pieces.items() if self.shown(task)}
        for project, reached in self.milestones.items():
            there = [t for t, one in shown.items() if one.planned and one.project == project]
            unfinished = sum(map(self.is_open, there))
            keys = planned_tasks(ACME, reached), planned_open_tasks(ACME, reached)
            assert self.run(self.log.counted(*keys)) == [len(there), unfinished]

    @rule(label=st.sampled_from(LABELS), by=PEOPLE)
    def delete_or_restore_label(self, label: LabelId, by: UserId) -> None:
        kind = RestoreLabel if label in self.trash else DeleteLabel
        if self.passes(kind(label_id=label), by, self.may(by, kind.needs)):
            (self.trash.discard if kind is RestoreLabel else self.trash.add)(label)


Board.TestCase.settings = settings(max_examples=examples(20), stateful_step_count=25)
TestBoard = Board.TestCase
