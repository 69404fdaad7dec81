"""Commands on the comments of tasks."""

from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import UNSET, UnsetType

from commands.base import (
    Change,
    Command,
    Context,
    Decision,
    changes_of,
)
from commands.reads import Reads
from commands.sight import refuse_unless_concerned, refuse_unless_granted_in
from commands.work.task import read_editable_task, refuse_unless_sees_task
from commands.work.task_values import Mentions
from commands.work.trash.task import refuse_unless_task_here
from domain.base import CommentId, NotFound, TaskId, UserId
from domain.patterned import patterned
from domain.permission import Permission
from domain.work.comment import (
    Comment,
    CommentDeleted,
    CommentEdited,
    CommentPosted,
    CommentRestored,
    ReactionAdded,
    ReactionRemoved,
)
from domain.work.project.state import Project
from domain.work.reaction import EMOJI
from domain.work.task.events import TaskWatched
from domain.work.task.watching import watched_by

CommentBody = Annotated[str, patterned(r"\S", "some text", 50_000)]
Emoji = Annotated[str, EMOJI]


class PostComment(Command, frozen=True, kw_only=True):
    """Comment on a task, or answer the comment that began a thread.

    Whoever comments or is mentioned watches the task from then on.
    """

    needs: ClassVar[Permission | None] = Permission.COMMENT_POST
    records = (CommentPosted, TaskWatched)
    comment_id: CommentId
    task_id: TaskId
    body: CommentBody
    parent_id: CommentId | None = None
    mentions: Mentions = ()

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        await refuse_unless_sees_task(read, context, self.task_id)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        task, project = await read_editable_task(read, self.task_id)
        if self.parent_id is not None:
            (await _read_comment(read, self.task_id, self.parent_id)).refuse_answer()
        await _refuse_unless_concerned(read, context, project, self.mentions)
        posted = CommentPosted(
            task_id=self.task_id,
            parent_id=self.parent_id,
            body=self.body,
            mentions=_once(self.mentions),
            created_by=context.user_id,
            created_at=context.now,
        )
        said = read.new(Comment, self.comment_id).post(posted)
        if not said:
            return []
        watching = watched_by(task, (context.user_id, *posted.mentions))
        return [Change(self.comment_id, said), *changes_of(self.task_id, watching)]


class CommentCommand(Command, frozen=True, kw_only=True):
    """A command on one comment of a task."""

    needs: ClassVar[Permission | None] = Permission.COMMENT_POST
    task_id: TaskId
    comment_id: CommentId

    @property
    def target(self) -> UUID | None:
        return self.comment_id

    async def permit(self, read: Reads, context: Context, /) -> None:
        await super().permit(read, context)
        await refuse_unless_sees_task(read, context, self.task_id)


class EditComment(CommentCommand, frozen=True, kw_only=True):
    """Change the text of one's own comment, or whom it mentions."""

    records = (CommentEdited, TaskWatched)
    body: CommentBody | UnsetType = UNSET
    mentions: Mentions | UnsetType = UNSET

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        comment = await _read_comment(read, self.task_id, self.comment_id)
        task, project = await read_editable_task(read, self.task_id)
        body = comment.body if self.body is UNSET else self.body
        mentions = comment.mentions if self.mentions is UNSET else _once(self.mentions)
        added = tuple(user for user in mentions if user not in comment.mentions)
        await _refuse_unless_concerned(read, context, project, added)
        edited = comment.edit(context.user_id, body, mentions)
        watching = changes_of(self.task_id, watched_by(task, added))
        return [*changes_of(self.comment_id, edited), *watching]


class DeleteComment(CommentCommand, frozen=True, kw_only=True):
    """Move a comment to the trash: one's own, or with a role that allows it anybody's."""

    records = (CommentDeleted,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        comment = await _read_comment(read, self.task_id, self.comment_id)
        task, project = await read_editable_task(read, self.task_id)
        await _refuse_unless_own(read, context, project, comment.created_by)
        return changes_of(self.comment_id, comment.delete(context.user_id, task.project_id))


class RestoreComment(CommentCommand, frozen=True, kw_only=True):
    """Restore a comment from the trash; an author only what they deleted themselves."""

    records = (CommentRestored,)

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        comment = await _read_comment(read, self.task_id, self.comment_id)
        await refuse_unless_task_here(read, self.task_id)
        _, project = await read_editable_task(read, self.task_id)
        own = comment.deleted_by or comment.created_by
        await _refuse_unless_own(read, context, project, own)
        return changes_of(self.comment_id, comment.restore())


class ReactToComment(CommentCommand, frozen=True, kw_only=True):
    """React to a comment with an emoji."""

    records = (ReactionAdded,)
    emoji: Emoji

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        comment = await _read_comment(read, self.task_id, self.comment_id)
        await read_editable_task(read, self.task_id)
        return changes_of(self.comment_id, comment.react(context.user_id, self.emoji))


class TakeBackReaction(CommentCommand, frozen=True, kw_only=True):
    """Remove one's own reaction to a comment."""

    records = (ReactionRemoved,)
    emoji: str

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        comment = await _read_comment(read, self.task_id, self.comment_id)
        await read_editable_task(read, self.task_id)
        return changes_of(self.comment_id, comment.take_back(context.user_id, self.emoji))


async def _read_comment(read: Reads, task_id: TaskId, comment_id: CommentId) -> Comment:
    """Return a comment of a task, also from the trash.

    :raises NotFound: the task has no such comment.
    """
    comment = await read(Comment, comment_id)
    if comment.task_id != task_id:
        raise NotFound
    return comment


async def _refuse_unless_own(
    read: Reads, context: Context, project: Project, whose: UserId | None
) -> None:
    """Refuse a caller who may delete and restore only their own comments, unless it is theirs."""
    if context.user_id != whose:
        await refuse_unless_granted_in(read, context, project, Permission.COMMENT_DELETE)


async def _refuse_unless_concerned(
    read: Reads, context: Context, project: Project, mentioned: tuple[UserId, ...]
) -> None:
    """Refuse to mention somebody who is no member, or does not see the project."""
    for user_id in mentioned:
        await refuse_unless_concerned(read, context, project, user_id)


def _once(users: tuple[UserId, ...]) -> tuple[UserId, ...]:
    """Return *users* without repetitions, in the same order."""
    return tuple(dict.fromkeys(users))
