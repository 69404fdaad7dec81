"""Commands on the labels of a task."""

from commands.base import Context, Decision, changes_of
from commands.reads import Reads
from commands.work.task import TaskCommand, read_task
from domain.base import LabelId, NotFound, ProjectId
from domain.work.label import Label
from domain.work.task import labelling
from domain.work.task.events import TaskLabelled, TaskUnlabelled


class LabelTask(TaskCommand, frozen=True, kw_only=True):
    """Give a task a label of its project or of the organization."""

    records = (TaskLabelled,)
    label_id: LabelId

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        task, project = await read_task(read, self.task_id)
        project.refuse_unless_editable()
        await refuse_unless_usable(read, self.label_id, task.project_id)
        return changes_of(self.task_id, labelling.label(task, self.label_id))


class UnlabelTask(TaskCommand, frozen=True, kw_only=True):
    """Remove a label from a task."""

    records = (TaskUnlabelled,)
    label_id: LabelId

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        task, project = await read_task(read, self.task_id)
        project.refuse_unless_editable()
        return changes_of(self.task_id, labelling.unlabel(task, self.label_id))


async def refuse_unless_usable(
    read: Reads, label_id: LabelId, project_id: ProjectId | None
) -> None:
    """Refuse a label that does not exist, or belongs to another project.

    Both never change, so the append need not verify the label's stream; whether the label is in the
    trash is counted, and checked there.

    :raises NotFound: it does not exist for this project.
    """
    label = await read.settled(Label, label_id)
    if not label.created or label.project_id not in (None, project_id):
        raise NotFound(label_id=label_id)
