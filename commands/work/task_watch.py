"""Commands on who watches a task: whom its news concern beside those who work on it."""

from commands.base import Context, Decision, changes_of
from commands.reads import Reads
from commands.sight import refuse_unless_concerned
from commands.work.task import TaskCommand, read_task
from domain.base import UserId
from domain.work.task import watching
from domain.work.task.events import TaskUnwatched, TaskWatched


class WatchTask(TaskCommand, frozen=True, kw_only=True):
    """Let an active member of the organization watch a task."""

    records = (TaskWatched,)
    user_id: UserId

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        task, project = await read_task(read, self.task_id)
        project.refuse_unless_editable()
        await refuse_unless_concerned(read, context, project, self.user_id)
        return changes_of(self.task_id, watching.let_watch(task, self.user_id))


class UnwatchTask(TaskCommand, frozen=True, kw_only=True):
    """Let somebody no longer watch a task."""

    records = (TaskUnwatched,)
    user_id: UserId

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        task, project = await read_task(read, self.task_id)
        project.refuse_unless_editable()
        return changes_of(self.task_id, watching.let_leave(task, self.user_id))
