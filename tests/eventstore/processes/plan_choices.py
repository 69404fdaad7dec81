"""What one client happens to do who plans, logs time, lets tasks repeat and uses templates."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from commands.base import Command
from commands.exchange.bulk import ChangeTasks, TaskSetting
from commands.exchange.from_template import CreateFromTemplate
from commands.identity.organization import EditMember
from commands.planning.cycle import CreateCycle, DeleteCycle, RestoreCycle
from commands.planning.field import CreateField, DeleteField, EditField, RestoreField
from commands.planning.milestone import CreateMilestone, DeleteMilestone, RestoreMilestone
from commands.planning.recurrence import RepeatTask, SetRecurrence, SkipOccurrence, StopRecurrence
from commands.planning.template import (
    CreateTemplate,
    DeleteTemplate,
    EditTemplate,
    RestoreTemplate,
)
from commands.planning.worklog import ChangeWorklog, DeleteWorklog, LogTime, RestoreWorklog
from commands.work.losing_sight import ReleaseWithoutSight
from commands.work.project import (
    ArchiveProject,
    DeleteProject,
    EditProject,
    RestoreProject,
    UnarchiveProject,
)
from commands.work.project_member import AddProjectMember, RemoveProjectMember
from commands.work.relation import AddRelation
from commands.work.task import AssignTask, ChangeTaskStatus, EditTask
from commands.work.task_create import CreateTask
from commands.work.task_label import LabelTask
from commands.work.task_move import MoveTask
from commands.work.task_plan import Planned
from commands.work.trash.purge import PurgeTrashed
from commands.work.trash.task import DeleteTask, RestoreTask
from commands.work.trash.things import Thing
from commands.work.workflow import DefineWorkflow
from domain.base import CycleId, LabelId, MilestoneId, ProjectId, TaskId, TemplateId, WorklogId
from domain.identity.organization.membership import Role
from domain.planning.field import Option, stream_of_field
from domain.planning.template.values import StartingValues, Subtask
from domain.work.project.events import Visibility
from domain.work.relation import RelationKind
from domain.work.task.custom_field import FieldType
from domain.work.task.events import Priority, TaskStatus
from domain.work.task.recurrence_events import RepeatAfter
from domain.work.trash import TrashKind
from domain.work.workflow.events import StatusGroup, Transition
from domain.work.workflow.state import Status
from tests.domain.spec import ACME, ANA, BEN, CLEO, ENG, NOW
from tests.eventstore.processes.choices import Chances, Choices

OPS = ProjectId(UUID(int=22))
PROJECTS = [ENG, OPS]
TASKS = [TaskId(UUID(int=900 + n)) for n in range(8)]
CYCLES = [CycleId(UUID(int=910 + n)) for n in range(2)]
MILESTONES = [MilestoneId(UUID(int=920 + n)) for n in range(2)]
WORKLOGS = [WorklogId(UUID(int=930 + n)) for n in range(5)]
TEMPLATES = [TemplateId(UUID(int=940 + n)) for n in range(2)]
LABEL = LabelId(UUID(int=970))
FIELDS = ["cost", "size"]
TODAY = NOW.date()
BUSY, OVER = "BUSY", "OVER"
OWN_STATUSES = (
    Status(key="TODO", group=StatusGroup.TODO, name="To do"),
    Status(key=BUSY, group=StatusGroup.IN_PROGRESS, name="Busy"),
    Status(key=OVER, group=StatusGroup.DONE, name="Over"),
)
OWN_STEPS = (Transition(from_=BUSY, to=OVER), Transition(from_=OVER, to=BUSY))


class PlanChoices(Choices):
    """What is planned for eight tasks in two projects, and what becomes of them."""

    def command(self) -> Command:
        """Return the next command."""
        areas = (self._work, self._series, self._plans, self._fields, self._time)
        return self.among(*areas, self._templates, self._organization)

    def _work(self) -> Chances:
        task, other = self.of(TASKS), self.of(TASKS)
        to = self.of([*TaskStatus, BUSY, OVER])
        due = TODAY + timedelta(days=self.of([0, 1, 9]))
        doomed = Thing(TrashKind.TASK, TASKS[-1])
        return [
            (1, lambda: CreateTask(task_id=task, project_id=self.of(PROJECTS), title="X")),
            (2, lambda: ChangeTaskStatus(task_id=task, to=to, via_path=True)),
            (1, lambda: ChangeTaskStatus(task_id=task, to=to, force=True)),
            (1, lambda: AssignTask(task_id=task, user_id=self.of([ANA, BEN, CLEO]))),
            (1, lambda: EditTask(task_id=task, parent_id=self.of([None, other]), below=(*TASKS,))),
            (1, lambda: EditTask(task_id=task, due_date=due)),
            (1, lambda: AddRelation(task_id=task, kind=RelationKind.BLOCKS, other_id=other)),
            (1, lambda: LabelTask(task_id=task, label_id=LABEL)),
            (1, lambda: MoveTask(task_id=task, project_id=self.of(PROJECTS))),
            (1, lambda: DeleteTask(task_id=task, below=(*TASKS,))),
            (4, lambda: RestoreTask(task_id=task, below=(*TASKS,))),
            (1, lambda: PurgeTrashed(thing=doomed)),
        ]

    def _series(self) -> Chances:
        task, after = self.of(TASKS), self.of(list(RepeatAfter))
        daily = SetRecurrence(
            task_id=task,
            series_id=UUID(int=1000 + TASKS.index(task)),
            rrule="FREQ=DAILY",
            after=after,
        )
        return [
            (3, lambda: daily),
            (1, lambda: StopRecurrence(task_id=task)),
            (4, lambda: RepeatTask(task_id=task)),
            (1, lambda: SkipOccurrence(task_id=task, because="plan_limit")),
            (1, lambda: ChangeTaskStatus(task_id=task, to=self.of(list(TaskStatus)), force=True)),
        ]

    def _plans(self) -> Chances:
        at = self.of([0, 1])
        cycle, milestone, project = CYCLES[at], MILESTONES[at], PROJECTS[at]
        starts = TODAY + timedelta(days=20 * at)
        dates: dict[str, Any] = {"starts_on": starts, "ends_on": starts + timedelta(days=14)}
        planned = Planned(cycle_id=self.of([None, cycle]), milestone_id=self.of([None, milestone]))
        doomed = Thing(TrashKind.CYCLE, CYCLES[-1])
        return [
            (2, lambda: CreateCycle(cycle_id=cycle, project_id=project, name="One", **dates)),
            (1, lambda: DeleteCycle(cycle_id=cycle)),
            (2, lambda: RestoreCycle(cycle_id=cycle)),
            (2, lambda: CreateMilestone(milestone_id=milestone, project_id=project, name="One")),
            (1, lambda: DeleteMilestone(milestone_id=milestone)),
            (2, lambda: RestoreMilestone(milestone_id=milestone)),
            (4, lambda: EditTask(task_id=self.of(TASKS), planned=planned)),
            (1, lambda: PurgeTrashed(thing=doomed)),
        ]

    def _fields(self) -> Chances:
        at = self.of([0, 1])
        key, kind = FIELDS[at], [FieldType.NUMBER, FieldType.SELECT][at]
        field = stream_of_field(ENG, key)
        options = (Option("s", "Small"), Option("m", "Medium")) if at else ()
        values = {key: self.of([None, 5, "s", "m"])}
        new = CreateField(project_id=ENG, key=key, name=key, kind=kind, options=options)
        doomed = Thing(TrashKind.FIELD, stream_of_field(ENG, FIELDS[-1]))
        return [
            (2, lambda: new),
            (1, lambda: EditField(field_id=field, name=f"The {key}")),
            (1, lambda: DeleteField(field_id=field)),
            (2, lambda: RestoreField(field_id=field)),
            (4, lambda: EditTask(task_id=self.of(TASKS), fields=values)),
            (1, lambda: PurgeTrashed(thing=doomed)),
        ]

    def _time(self) -> Chances:
        entry = self.of(WORKLOGS)
        task, doomed = TASKS[WORKLOGS.index(entry)], Thing(TrashKind.WORKLOG, WORKLOGS[-1])
        new = LogTime(
            worklog_id=entry, task_id=task, minutes=30, note="Gears", user_id=self.of([None, BEN])
        )
        return [
            (3, lambda: new),
            (1, lambda: ChangeWorklog(worklog_id=entry, task_id=task, minutes=self.of([5, 600]))),
            (1, lambda: DeleteWorklog(worklog_id=entry, task_id=task)),
            (2, lambda: RestoreWorklog(worklog_id=entry, task_id=task)),
            (1, lambda: PurgeTrashed(thing=doomed)),
        ]

    def _templates(self) -> Chances:
        at = self.of([0, 1])
        template = TEMPLATES[at]
        new = self._template(template, [None, ENG][at])
        use = CreateFromTemplate(
            template_id=template,
            task=CreateTask(task_id=TaskId(uuid4()), project_id=self.of(PROJECTS), title="X"),
            given=frozenset({"title"}),
            subtask_ids=tuple(TaskId(uuid4()) for _ in range(50)),
            note=ignore,
        )
        return [
            (2, lambda: new),
            (1, lambda: EditTemplate(template_id=template, text="How to")),
            (1, lambda: DeleteTemplate(template_id=template)),
            (2, lambda: RestoreTemplate(template_id=template)),
            (3, lambda: use),
        ]

    def _template(self, template: TemplateId, project: ProjectId | None) -> CreateTemplate:
        values = StartingValues(
            priority=Priority.HIGH,
            labels=(LABEL,),
            assignees=(self.of([ANA, BEN, CLEO]),),
            due_in=3,
            cycle_id=CYCLES[0] if project else None,
            milestone_id=MILESTONES[0] if project else None,
        )
        return CreateTemplate(
            template_id=template,
            project_id=project,
            name=f"For {project}",
            values=values,
            subtasks=(Subtask(title="First", values=values), Subtask(title="Second")),
            fitted=True,
        )

    def _organization(self) -> Chances:
        project, user, task = self.of(PROJECTS), self.of([BEN, CLEO]), self.of(TASKS)
        role, active = self.of([Role.MANAGER, Role.MEMBER]), self.of([True, True, False])
        visibility = self.of(list(Visibility))
        moved = {str(each): self.of([BUSY, OVER]) for each in TaskStatus if each != "TODO"}
        statuses: dict[str, Any] = {"statuses": OWN_STATUSES, "transitions": OWN_STEPS}
        return [
            (4, self._bulk),
            (1, lambda: EditProject(project_id=project, visibility=visibility)),
            (1, lambda: AddProjectMember(project_id=project, user_id=user)),
            (1, lambda: RemoveProjectMember(project_id=project, user_id=user)),
            (2, lambda: ReleaseWithoutSight(task_id=task, user_id=user)),
            (1, lambda: EditMember(organization_id=ACME, user_id=user, active=active)),
            (1, lambda: EditMember(organization_id=ACME, user_id=user, role=role)),
            (1, lambda: DefineWorkflow(project_id=project, moved=moved, **statuses)),
            (1, lambda: ArchiveProject(project_id=OPS)),
            (4, lambda: UnarchiveProject(project_id=OPS)),
            (1, lambda: DeleteProject(project_id=OPS)),
            (4, lambda: RestoreProject(project_id=OPS)),
        ]

    def _bulk(self) -> ChangeTasks:
        some = tuple(dict.fromkeys(self.of(TASKS) for _ in range(3)))
        setting = TaskSetting(
            status=self.of(list(TaskStatus)),
            priority=self.of(list(Priority)),
            assign=(self.of([BEN, CLEO]),),
        )
        below = dict.fromkeys(some, (*TASKS,))
        return ChangeTasks(task_ids=some, setting=setting, below=below, note=ignore)


def ignore(_: object) -> None:
    """Take what a command tells of what became of it."""
