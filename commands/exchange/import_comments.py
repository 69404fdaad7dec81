"""The command that imports some comments of a file: those that no rule refuses."""

from collections.abc import Callable, Iterable
from typing import ClassVar

from msgspec.structs import replace

from commands.base import Change, Context, Decision
from commands.claims.exchange import external_comment_claim
from commands.exchange.content_line import NumberedComment
from commands.exchange.import_at_tasks import DecidingAtTasks
from commands.exchange.import_piece import ImportedContents, ImportPiece, Rehearsed
from commands.reads import Reads
from commands.work.task import read_task
from commands.work.task_values import in_utc
from domain.base import CommentId, TaskId
from domain.permission import Permission
from domain.work.comment import Comment, CommentEvent, CommentImported, CommentPosted
from domain.work.task.imported import UnknownParent
from eventstore.claim import ClaimKey


class ImportComments(ImportPiece, frozen=True, kw_only=True):
    """Post each comment whose external id its task does not have yet.

    Nobody watches a task because of it, and nobody is told of it. Its author and when it was
    written are kept as the file has them; whoever imports it is shown as who posted it.
    """

    needs: ClassVar[Permission | None] = Permission.COMMENT_POST
    records = (CommentPosted, CommentImported)
    lines: tuple[NumberedComment, ...]
    note: Callable[[ImportedContents], None]
    """Told what becomes of the lines, and again with each attempt."""

    async def decide_lines(self, read: Reads, context: Context, /) -> Decision:
        deciding = _Deciding(self, read, context, self.before.comments)
        people = [person for each in self.lines for person in each.line.mentions]
        self.note(await deciding.decide(self.lines, people))
        return deciding.changes


class _Deciding(DecidingAtTasks[NumberedComment]):
    """The decision on some comments."""

    kind = Comment

    def claim(self, task_id: TaskId, external_id: str) -> ClaimKey:
        org_id = self.context.organization
        return external_comment_claim(self.fingerprint, org_id, task_id, external_id)

    def kept(self) -> Rehearsed:
        return replace(self.before, comments=self.made)

    def claimed(self, line: NumberedComment) -> Iterable[str]:
        said = line.line
        return (said.id,) if said.parent is None else (said.id, said.parent)

    async def change(self, task_id: TaskId, numbered: NumberedComment) -> Change:
        """Return the events that post a comment."""
        said, context = numbered.line, self.context
        _, project = await read_task(self.read, task_id)
        project.refuse_unless_editable()
        parent_id: CommentId | None = None
        if said.parent is not None:
            found = await self.found(task_id, said.parent)
            if found is None:
                raise UnknownParent(parent=said.parent)
            parent_id = CommentId(found)
            (await self.read(Comment, parent_id)).refuse_answer()
        posted = CommentPosted(
            task_id=task_id,
            parent_id=parent_id,
            body=said.body,
            mentions=await self.names.members(self.read, context, said.mentions),
            created_by=context.user_id,
            created_at=context.now,
        )
        events: list[CommentEvent] = self.read.new(Comment, numbered.new_id).post(posted)
        came = CommentImported(
            task_id=task_id,
            external_id=said.id,
            occurred_at=in_utc(said.occurred_at),
            author=said.author,
        )
        return Change(numbered.new_id, [*events, came])
