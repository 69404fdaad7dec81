"""HTTP routes of comments."""

from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET, Struct, UnsetType

from api.http.paging import LIMIT_DEFAULT, Paging, one, wait_for_own_writes
from api.http.parameters import Cursor, Limit, Page, nothing, shows
from api.http.policy import needs
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from api.work.task_key import TaskRef, task_here, task_id_of
from commands.states import Loaded
from commands.work.comment import (
    CommentBody,
    DeleteComment,
    EditComment,
    Emoji,
    PostComment,
    ReactToComment,
    RestoreComment,
    TakeBackReaction,
)
from commands.work.task_values import Mentions
from domain.base import CommentId, NotFound, TaskId, UserId
from domain.permission import Permission
from domain.work.comment import (
    Comment,
    CommentEdited,
    CommentOfAnother,
    CommentPosted,
    ThreadTooDeep,
)
from domain.work.project.errors import ProjectIsArchived
from domain.work.reaction import TooManyReactions
from domain.work.task.errors import CannotSeeProject, ParentInTrash
from eventstore.identifiers import new_id
from projections.engine.query import list_slice
from projections.work.comment import CommentView, comments_of, render_comment

_encode = msgspec.json.Encoder().encode


class NewComment(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a new comment; ``parentId`` is the comment that it answers."""

    body: CommentBody
    parent_id: CommentId | None = None
    mentions: Mentions = ()


class CommentChange(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a change; omitted fields stay as they are."""

    body: CommentBody | UnsetType = UNSET
    mentions: Mentions | UnsetType = UNSET


class NewReaction(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Body of a reaction to a comment."""

    emoji: Emoji


class CommentText(Struct, frozen=True, rename="camel"):
    """A text that a comment has, or had: the first one, and what each edit made of it."""

    version: int
    body: str
    mentions: tuple[UserId, ...]
    at: datetime


def _shown(task_id: TaskId, comment_id: UUID, status: int = 200) -> Reply:
    def show(comment: Comment, version: int, at: datetime) -> bytes:
        return render_comment(comment_id, comment, version, at)

    location = f"/api/task/{task_id}/comments/{{id}}" if status == 201 else ""
    return Reply(stream=comment_id, show=show, status=status, location=location)


class CommentController(Controller):
    """The comments of a task."""

    path = "/api/task/{task:str}/comments"
    tags = ("Comments",)

    @post(
        "/",
        opt=needs(
            Permission.COMMENT_POST, fails=(CannotSeeProject, ProjectIsArchived, ThreadTooDeep)
        ),
        responses=shows(CommentView, 201),
    )
    async def create(
        self, request: ApiRequest, task: TaskRef, data: JSONBody[NewComment]
    ) -> ApiResponse:
        """Comment on a task, or answer a comment. Whom it mentions must be a member."""
        task_id, comment_id = await task_id_of(request, task), CommentId(new_id())
        command = PostComment(
            comment_id=comment_id,
            task_id=task_id,
            body=data.body,
            parent_id=data.parent_id,
            mentions=data.mentions,
        )
        return await run_command(request, command, _shown(task_id, comment_id, 201))

    @get("/", opt=needs(Permission.TASK_READ), responses=shows(Page[CommentView]))
    async def list_comments(
        self,
        request: ApiRequest,
        task: TaskRef,
        thread: FromQuery[
            Annotated[
                UUID | None,
                QueryParameter(name="parentId", description="Only the answers to this comment"),
            ]
        ] = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List the comments of a task with their answers, oldest first."""
        task_id = await task_id_of(request, task)
        await task_here(request, task_id)
        paging = Paging(request, parent_id=thread)
        after = paging.key(cursor)
        await wait_for_own_writes(request, "comments")
        wanted = None if thread is None else CommentId(thread)
        page = await comments_of(
            request.api.models, request.organization, task_id, wanted, limit, after
        )
        return paging.answer(page, limit)

    @get("/{comment_id:uuid}", opt=needs(Permission.TASK_READ), responses=shows(CommentView))
    async def get_comment(
        self, request: ApiRequest, task: TaskRef, comment_id: FromPath[UUID]
    ) -> ApiResponse:
        """Return a comment."""
        found = await _comment_here(request, await task_id_of(request, task), comment_id)
        return one(request, found, partial(render_comment, comment_id))

    @get(
        "/{comment_id:uuid}/edits",
        opt=needs(Permission.TASK_READ),
        responses=shows(Page[CommentText]),
    )
    async def list_comment_edits(
        self,
        request: ApiRequest,
        task: TaskRef,
        comment_id: FromPath[UUID],
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List every text that a comment has had, oldest first."""
        await _comment_here(request, await task_id_of(request, task), comment_id)
        paging = Paging(request)
        after = paging.key(cursor) or 0
        log = request.api.system.log
        events = await log.stream(comment_id, request.organization, after, limit + 1)
        texts = [
            _encode(CommentText(each.version, each.event.body, each.event.mentions, each.at))
            for each in events[:limit]
            if isinstance(each.event, CommentPosted | CommentEdited)
        ]
        more = events[limit - 1].version if len(events) > limit else None
        return paging.answer(list_slice(texts, more), limit)

    @patch(
        "/{comment_id:uuid}",
        opt=needs(
            Permission.COMMENT_POST, fails=(CannotSeeProject, CommentOfAnother, ProjectIsArchived)
        ),
        responses=shows(CommentView),
    )
    async def edit(
        self,
        request: ApiRequest,
        task: TaskRef,
        comment_id: FromPath[UUID],
        data: JSONBody[CommentChange],
    ) -> ApiResponse:
        """Change the text of your own comment. Every earlier text can still be read."""
        task_id = await task_id_of(request, task)
        command = EditComment(
            task_id=task_id,
            comment_id=CommentId(comment_id),
            body=data.body,
            mentions=data.mentions,
        )
        return await run_command(request, command, _shown(task_id, comment_id))

    @post(
        "/{comment_id:uuid}/reactions",
        status_code=200,
        opt=needs(Permission.COMMENT_POST, fails=(ProjectIsArchived, TooManyReactions)),
        responses=shows(CommentView),
    )
    async def react(
        self,
        request: ApiRequest,
        task: TaskRef,
        comment_id: FromPath[UUID],
        data: JSONBody[NewReaction],
    ) -> ApiResponse:
        """React to a comment with an emoji. A reaction that you gave already changes nothing."""
        task_id = await task_id_of(request, task)
        command = ReactToComment(
            task_id=task_id, comment_id=CommentId(comment_id), emoji=data.emoji
        )
        return await run_command(request, command, _shown(task_id, comment_id))

    @delete(
        "/{comment_id:uuid}/reactions/{emoji:str}",
        status_code=200,
        opt=needs(Permission.COMMENT_POST, fails=(ProjectIsArchived,)),
        responses=shows(CommentView),
    )
    async def take_back_reaction(
        self,
        request: ApiRequest,
        task: TaskRef,
        comment_id: FromPath[UUID],
        emoji: FromPath[str],
    ) -> ApiResponse:
        """Remove your reaction with an emoji, percent-encoded in the path, from a comment."""
        task_id = await task_id_of(request, task)
        command = TakeBackReaction(task_id=task_id, comment_id=CommentId(comment_id), emoji=emoji)
        return await run_command(request, command, _shown(task_id, comment_id))

    @delete(
        "/{comment_id:uuid}",
        status_code=200,
        opt=needs(Permission.COMMENT_POST, fails=(ProjectIsArchived,)),
        responses=nothing(),
    )
    async def remove(
        self, request: ApiRequest, task: TaskRef, comment_id: FromPath[UUID]
    ) -> ApiResponse:
        """Move a comment to the trash: your own or, if your role allows it, anybody's."""
        task_id = await task_id_of(request, task)
        command = DeleteComment(task_id=task_id, comment_id=CommentId(comment_id))
        return await run_command(request, command, Reply(stream=comment_id))

    @post(
        "/{comment_id:uuid}/restore",
        status_code=200,
        opt=needs(
            Permission.COMMENT_POST,
            fails=(
                ParentInTrash,
                ProjectIsArchived,
            ),
        ),
        responses=shows(CommentView),
    )
    async def restore(
        self, request: ApiRequest, task: TaskRef, comment_id: FromPath[UUID]
    ) -> ApiResponse:
        """Restore a comment from the trash. Authors restore what they deleted themselves."""
        task_id = await task_id_of(request, task)
        command = RestoreComment(task_id=task_id, comment_id=CommentId(comment_id))
        return await run_command(request, command, _shown(task_id, comment_id))


async def _comment_here(request: ApiRequest, task_id: TaskId, comment_id: UUID) -> Loaded[Comment]:
    """Return a comment of a task as it is now.

    :raises NotFound: it, the task or the project is missing or deleted.
    """
    await task_here(request, task_id)
    found = await request.newest(Comment, comment_id)
    found.state.refuse_unless_here()
    if found.state.task_id != task_id:
        raise NotFound
    return found
