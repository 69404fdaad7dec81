"""What each event of projects, tasks and their contents changes, and on which state."""

from uuid import UUID

from domain.base import (
    CycleId,
    Event,
    LabelId,
    MilestoneId,
    ProjectId,
    State,
    TaskId,
    TemplateId,
)
from domain.work import attachment, comment, label, team
from domain.work.project import events as project
from domain.work.project.state import Project
from domain.work.relation import (
    DependencyGraph,
    RelationAdded,
    RelationKind,
    RelationRemoved,
)
from domain.work.task import events as task
from domain.work.task.custom_field import FieldType, TaskFieldSet
from domain.work.task.imported import TaskImported
from domain.work.task.mentions import TaskMentioned
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from domain.work.task.recurrence_events import (
    Recurrence,
    TaskOccurrenceSkipped,
    TaskRecurrenceSet,
    TaskRepeated,
)
from domain.work.task.state import Task
from domain.work.task.templated import TaskTemplated
from domain.work.task.trash_events import TaskPurged
from domain.work.workflow.events import StatusGroup, WorkflowDefined
from domain.work.workflow.state import FREE
from tests.domain.spec import ANA, BEN, CLEO, DAY, ENG, GEARS, NOW, TASK, given, stepped

ACTIVE = given(Project(), project.ProjectCreated(key="ENG", name="Engine", created_by=ANA))
OTHER_TASK = TaskId(UUID(int=39))
RELATED = given(
    DependencyGraph(), RelationAdded(kind=RelationKind.BLOCKS, from_=TASK, to=OTHER_TASK)
)
ENDS = f"edges:{TASK.int}", f"edges:{OTHER_TASK.int}"
ANYTHING_GOES = WorkflowDefined(version=2, statuses=(), names="", transitions=FREE.transitions)
WAITING = given(ACTIVE, project.ProjectPutOnHold())
ARCHIVED = given(ACTIVE, project.ProjectArchived())
OPEN = given(
    Task(),
    task.TaskCreated(
        project_id=ENG,
        project_key="ENG",
        number=12,
        title="Oil it",
        status=task.TaskStatus.TODO,
        group=StatusGroup.TODO,
        priority=task.Priority.MEDIUM,
        created_by=ANA,
        created_at=NOW,
    ),
    task.TaskAssigned(user_id=BEN),
)
REPEATS = Recurrence(
    rrule="FREQ=DAILY",
    series_id=UUID(int=81),
    day=NOW.date(),
    next_date=NOW.date() + DAY,
    next_at=NOW + DAY,
)
SAID = given(
    comment.Comment(),
    comment.CommentPosted(task_id=TASK, body="Done?", created_by=ANA, created_at=NOW),
)
CAME = comment.CommentImported(task_id=TASK, external_id="7", occurred_at=NOW, author="Cleo")
FILED = given(
    attachment.Attachment(),
    attachment.AttachmentUploaded(
        task_id=TASK,
        name="plan.pdf",
        media_type="application/pdf",
        size=7,
        sha256="0" * 64,
        state=attachment.ScanState.PENDING,
        created_by=ANA,
        created_at=NOW,
    ),
)

FILE_CAME = attachment.AttachmentImported(
    task_id=TASK, external_id="7", occurred_at=NOW, author="Cleo"
)

LABEL = LabelId(UUID(int=71))
BUG = given(
    label.Label(),
    label.LabelCreated(name="Bug", color="#ff0000", created_by=ANA, created_at=NOW),
)
LEAD, MEMBER = team.TeamRole.LEAD, team.TeamRole.MEMBER
TOGETHER = given(
    team.Team(),
    team.TeamCreated(name="Gears", created_by=ANA),
    team.TeamMemberAdded(user_id=BEN, role=MEMBER),
)

WORK_CHANGES: list[tuple[State, Event, tuple[str, ...]]] = [
    (OPEN, task.TaskRetitled(from_="Oil it", to="Oil both"), ("title",)),
    (OPEN, task.TaskDescribed(description="All of it"), ("description",)),
    (
        OPEN,
        stepped(task.TaskStatus.TODO, task.TaskStatus.DONE),
        ("status", "group"),
    ),
    (
        OPEN,
        task.TaskPriorityChanged(from_=task.Priority.MEDIUM, to=task.Priority.LOW),
        ("priority",),
    ),
    (
        SAID,
        comment.CommentEdited(task_id=TASK, body="Well?", mentions=(BEN,), added=(BEN,)),
        ("body", "mentions", "edits"),
    ),
    (
        SAID,
        comment.ReactionAdded(task_id=TASK, emoji="👍", user_id=BEN, author=ANA),
        (f"reactions:👍:{BEN}",),
    ),
    (
        given(SAID, comment.ReactionAdded(task_id=TASK, emoji="👍", user_id=BEN, author=ANA)),
        comment.ReactionRemoved(task_id=TASK, emoji="👍", user_id=BEN),
        (f"reactions:👍:{BEN}",),
    ),
    (SAID, comment.CommentDeleted(task_id=TASK, deleted_by=ANA), ("deleted", "deleted_by")),
    (
        given(SAID, comment.CommentDeleted(task_id=TASK, deleted_by=ANA)),
        comment.CommentRestored(task_id=TASK),
        ("deleted", "deleted_by"),
    ),
    (
        OPEN,
        task.TaskScheduled(
            from_=task.TaskSchedule(), to=task.TaskSchedule(start_date=NOW.date(), due_at=NOW)
        ),
        ("start_date", "due_at"),
    ),
    (OPEN, task.TaskReparented(from_=None, to=TASK), ("parent_id",)),
    (OPEN, task.TaskRanked(from_="a", to="b"), ("rank",)),
    (
        given(OPEN, task.TaskReparented(from_=None, to=TASK)),
        task.TaskMoved(
            from_project_id=ENG,
            from_key="ENG-12",
            project_id=ProjectId(TASK),
            project_key="OPS",
            number=1,
            status="FIXED",
            group=StatusGroup.DONE,
            parent_id=None,
        ),
        ("project_id", "project_key", "number", "parent_id", "rank", "status", "group"),
    ),
    (OPEN, task.TaskEstimated(from_=None, to=3), ("estimate",)),
    (OPEN, task.TaskAssigned(user_id=CLEO), (f"assignees:{CLEO}", f"watchers:{CLEO}")),
    (OPEN, task.TaskLabelled(label_id=LABEL), (f"labels:{LABEL}",)),
    (
        given(OPEN, task.TaskLabelled(label_id=LABEL)),
        task.TaskUnlabelled(label_id=LABEL),
        (f"labels:{LABEL}",),
    ),
    (OPEN, TaskFieldSet(key="size", kind=FieldType.TEXT, to="L"), ("fields:size",)),
    (OPEN, TaskCycleChanged(from_=None, to=CycleId(TASK)), ("cycle_id",)),
    (OPEN, TaskRecurrenceSet(from_=None, to=REPEATS), ("recurrence",)),
    (
        given(OPEN, TaskRecurrenceSet(from_=None, to=REPEATS)),
        TaskRepeated(task_id=TASK, date=NOW.date()),
        ("recurrence",),
    ),
    (
        given(OPEN, TaskRecurrenceSet(from_=None, to=REPEATS)),
        TaskOccurrenceSkipped(date=NOW.date(), because="project_on_hold", to=None),
        ("recurrence",),
    ),
    (OPEN, TaskMilestoneChanged(from_=None, to=MilestoneId(TASK)), ("milestone_id",)),
    (
        OPEN,
        TaskImported(external_id="JIRA-7", occurred_at=NOW, author="Cleo"),
        ("external_id", "occurred_at", "author"),
    ),
    (OPEN, TaskTemplated(template_id=TemplateId(TASK)), ()),
    (OPEN, TaskMentioned(mentions=(CLEO,), added=(CLEO,)), ("mentions",)),
    (OPEN, task.TaskWatched(user_id=CLEO), (f"watchers:{CLEO}",)),
    (OPEN, task.TaskUnwatched(user_id=BEN), (f"watchers:{BEN}",)),
    (OPEN, task.TaskUnassigned(user_id=BEN), (f"assignees:{BEN}",)),
    (OPEN, task.TaskDeleted(), ("deleted",)),
    (given(OPEN, task.TaskDeleted()), task.TaskRestored(), ("deleted",)),
    (
        given(OPEN, task.TaskDescribed(description="All of it")),
        TaskPurged(),
        ("title", "description", "purged"),
    ),
    (
        given(SAID, CAME),
        comment.CommentPurged(task_id=TASK),
        ("body", "deleted", "purged", "external_id", "occurred_at", "author"),
    ),
    (SAID, CAME, ("external_id", "occurred_at", "author")),
    (
        given(FILED, FILE_CAME),
        attachment.AttachmentPurged(task_id=TASK),
        ("name", "deleted", "purged", "external_id", "occurred_at", "author"),
    ),
    (FILED, FILE_CAME, ("external_id", "occurred_at", "author")),
    (BUG, label.LabelPurged(), ("name", "deleted", "purged")),
    (TOGETHER, team.TeamPurged(), ("name", "deleted", "purged")),
    (
        given(ACTIVE, project.ProjectDescribed(description="All of it")),
        project.ProjectPurged(),
        ("name", "description", "workflow", "deleted", "purged"),
    ),
    (BUG, label.LabelRenamed(from_="Bug", to="Defect"), ("name",)),
    (BUG, label.LabelRecolored(from_="#ff0000", to="#000000"), ("color",)),
    (BUG, label.LabelDeleted(), ("deleted",)),
    (given(BUG, label.LabelDeleted()), label.LabelRestored(), ("deleted",)),
    (
        FILED,
        attachment.AttachmentScanned(task_id=TASK, state=attachment.ScanState.CLEAN),
        ("state", "scanned"),
    ),
    (
        FILED,
        attachment.AttachmentDeleted(task_id=TASK, deleted_by=ANA),
        ("deleted", "deleted_by"),
    ),
    (
        given(FILED, attachment.AttachmentDeleted(task_id=TASK, deleted_by=ANA)),
        attachment.AttachmentRestored(task_id=TASK),
        ("deleted", "deleted_by"),
    ),
    (ACTIVE, project.ProjectRenamed(from_="Engine", to="Motor"), ("name",)),
    (ACTIVE, project.ProjectDescribed(description="All of it"), ("description",)),
    (ACTIVE, project.ProjectLeadAssigned(user_id=BEN), ("lead_id",)),
    (ACTIVE, project.ProjectTeamLinked(team_id=GEARS), ("team_id",)),
    (
        ACTIVE,
        project.ProjectVisibilityChanged(
            from_=project.Visibility.ORGANIZATION, to=project.Visibility.PRIVATE
        ),
        ("visibility",),
    ),
    (ACTIVE, project.ProjectMemberAdded(user_id=BEN), (f"members:{BEN}",)),
    (ACTIVE, project.ProjectMemberRemoved(user_id=ANA), (f"members:{ANA}",)),
    (ACTIVE, project.ProjectKeyChanged(from_="ENG", to="MOT"), ("key", "rekeyed")),
    (ACTIVE, project.ProjectPutOnHold(), ("status",)),
    (WAITING, project.ProjectResumed(), ("status",)),
    (ACTIVE, project.ProjectArchived(), ("status",)),
    (ARCHIVED, project.ProjectUnarchived(), ("status",)),
    (DependencyGraph(), RelationAdded(kind=RelationKind.BLOCKS, from_=TASK, to=OTHER_TASK), ENDS),
    (RELATED, RelationRemoved(kind=RelationKind.BLOCKS, from_=TASK, to=OTHER_TASK), ENDS),
    (ACTIVE, ANYTHING_GOES, ("workflow",)),
    (ACTIVE, project.ProjectDeleted(), ("deleted",)),
    (given(ACTIVE, project.ProjectDeleted()), project.ProjectRestored(), ("deleted",)),
    (TOGETHER, team.TeamRenamed(from_="Gears", to="Wheels"), ("name",)),
    (TOGETHER, team.TeamMemberAdded(user_id=CLEO, role=LEAD), (f"members:{CLEO}",)),
    (TOGETHER, team.TeamRoleChanged(user_id=BEN, from_=MEMBER, to=LEAD), (f"members:{BEN}",)),
    (
        TOGETHER,
        team.TeamMemberRemoved(user_id=BEN, cause=team.TeamLeaveCause.LEFT),
        (f"members:{BEN}",),
    ),
    (TOGETHER, team.TeamDeleted(), ("deleted",)),
    (given(TOGETHER, team.TeamDeleted()), team.TeamRestored(), ("deleted",)),
]

WORK_CREATIONS: set[type[Event]] = {
    attachment.AttachmentUploaded,
    comment.CommentPosted,
    label.LabelCreated,
    project.ProjectCreated,
    task.TaskCreated,
    team.TeamCreated,
}
