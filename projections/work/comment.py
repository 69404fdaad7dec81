"""Comments as their readers see them: one document per comment."""

from datetime import datetime
from uuid import UUID

import msgspec

from domain.base import CommentId, OrgId, TaskId, UserId
from domain.work.comment import Comment, CommentEvent
from domain.work.reaction import Reaction, by_emoji
from domain.work.task.imported import TaskOrigin
from eventstore.recorded import Recorded
from projections.base import AggregateProjection, View, tags_of, text_of
from projections.engine.find import PAGE_DEFAULT, ReadModels
from projections.engine.query import ListSlice, Query
from projections.shape import Index, Value

_encode = msgspec.json.Encoder().encode


class CommentView(View, frozen=True, kw_only=True):
    """A comment as the API shows it; ``edits`` counts how often its text was changed."""

    id: CommentId
    task_id: TaskId | None
    parent_id: CommentId | None
    body: str
    mentions: tuple[UserId, ...]
    created_by: UserId | None
    created_at: datetime | None
    imported: TaskOrigin | None
    edits: int
    reactions: list[Reaction]
    updated_at: datetime
    deleted_at: datetime | None
    version: int


def render_comment(comment_id: UUID, comment: Comment, version: int, updated_at: datetime) -> bytes:
    """Return the JSON of *comment*, the same after a command as in a later GET."""
    view = CommentView(
        id=CommentId(comment_id),
        task_id=comment.task_id,
        parent_id=comment.parent_id,
        body=comment.body,
        mentions=comment.mentions,
        created_by=comment.created_by,
        created_at=comment.created_at,
        imported=comment.origin,
        edits=comment.edits,
        reactions=by_emoji(comment.reactions),
        updated_at=updated_at,
        deleted_at=updated_at if comment.deleted else None,
        version=version,
    )
    return _encode(view)


class Comments(AggregateProjection[Comment]):
    """Comments by id; by task, and by thread, the oldest first, since their ids grow with time."""

    name = "comments"
    version = 5
    tags = tags_of(CommentEvent)
    state = Comment
    indexes = (
        Index(("org", "task_id", "deleted"), "id"),
        Index(("org", "task_id", "parent_id", "deleted"), "id"),
    )

    def render(self, key: str, state: Comment, recorded: Recorded) -> bytes:
        return render_comment(recorded.stream_id, state, recorded.version, recorded.at)


async def comments_of(  # noqa: PLR0913, PLR0917 - the list, its filter and its page
    models: ReadModels,
    org_id: OrgId,
    task_id: TaskId,
    thread: CommentId | None = None,
    limit: int = PAGE_DEFAULT,
    after: str | None = None,
) -> ListSlice:
    """Return comments of a task, or the answers in a *thread*, oldest first, behind *after*."""
    where: dict[str, Value] = {
        "org": text_of(org_id),
        "task_id": text_of(task_id),
        "deleted": False,
    }
    if thread is not None:
        where["parent_id"] = text_of(thread)
    query = Query(model="comments", where=where, sort="id", limit=limit, above=after)
    return await models.page(query)
