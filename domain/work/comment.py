"""Comment: what somebody says about a task, alone or as an answer in a thread.

Invariants
    1. A thread has one level: whoever answers names the comment that began the thread.
    2. Only the author changes the text; every earlier text stays in the log.
    3. A deleted comment can only be restored, and a purged one not even that.
    4. Setting the text that it has, with the same mentions, records no event.
    5. An imported comment shows who imported it as its author; who wrote it elsewhere, and when, is
       data that orders nothing.
    6. Who reacts to a comment or no longer does: see `domain.work.reaction`.
"""

from datetime import datetime
from typing import ClassVar, assert_never, get_args

from msgspec import Struct
from msgspec.structs import replace

from domain.base import (
    ERASED,
    CommentId,
    DomainError,
    Event,
    NotFound,
    Personal,
    ProjectId,
    Refusal,
    TaskId,
    UserId,
)
from domain.work.reaction import (
    has_reacted,
    reaction_key,
    refuse_if_many,
    with_reaction,
    without_reaction,
)
from domain.work.task.imported import TaskOrigin, imported_from

# Events ---------------------------------------------------------------------


class CommentPosted(Event, frozen=True, kw_only=True, tag="comment.posted"):
    """Somebody commented on a task; `parentId` is the comment that began the thread."""

    task_id: TaskId
    parent_id: CommentId | None = None
    body: Personal
    mentions: tuple[UserId, ...] = ()
    created_by: UserId
    created_at: datetime


class CommentEdited(Event, frozen=True, kw_only=True, tag="comment.edited"):
    """The author of a comment changed its text or whom it mentions.

    `added` are those of the mentioned whom it did not mention before.
    """

    sets = ("body", "mentions", "edits")
    task_id: TaskId
    body: Personal
    mentions: tuple[UserId, ...] = ()
    added: tuple[UserId, ...] = ()


class CommentDeleted(Event, frozen=True, kw_only=True, omit_defaults=True, tag="comment.deleted"):
    """A comment was moved to the trash, from which it can be restored."""

    sets = ("deleted", "deleted_by")
    hidden = ("projectId", "owner")
    task_id: TaskId
    deleted_by: UserId
    project_id: ProjectId | None = None
    owner: UserId | None = None


class CommentRestored(Event, frozen=True, kw_only=True, tag="comment.restored"):
    """A comment was restored from the trash, unchanged."""

    sets = ("deleted", "deleted_by")
    task_id: TaskId


class CommentPurged(Event, frozen=True, kw_only=True, tag="comment.purged"):
    """The text of a comment is gone for good, with the key that sealed it."""

    sets = ("body", "deleted", "purged", "external_id", "occurred_at", "author")
    task_id: TaskId


class CommentImported(Event, frozen=True, kw_only=True, omit_defaults=True, tag="comment.imported"):
    """A comment that was just posted came from elsewhere, where it has this id.

    `occurredAt` and `author` tell when and by whom it was written there.
    """

    sets = ("external_id", "occurred_at", "author")
    task_id: TaskId
    external_id: Personal
    occurred_at: datetime | None = None
    author: Personal | None = None


class ReactionAdded(Event, frozen=True, kw_only=True, tag="comment.reaction_added"):
    """Somebody reacted to a comment; `author` wrote it."""

    task_id: TaskId
    emoji: str
    user_id: UserId
    author: UserId | None

    def field_keys(self) -> tuple[str, ...]:
        return (reaction_key(self.emoji, self.user_id),)


class ReactionRemoved(Event, frozen=True, kw_only=True, tag="comment.reaction_removed"):
    """Somebody took back a reaction to a comment."""

    task_id: TaskId
    emoji: str
    user_id: UserId

    def field_keys(self) -> tuple[str, ...]:
        return (reaction_key(self.emoji, self.user_id),)


CommentEvent = (
    CommentPosted
    | CommentImported
    | CommentEdited
    | CommentDeleted
    | CommentRestored
    | CommentPurged
    | ReactionAdded
    | ReactionRemoved
)


# State ----------------------------------------------------------------------


class Comment(Struct, frozen=True, kw_only=True, gc=False):
    """What the rules below need to know about a comment, and the fields of its view.

    ``edits`` counts how often its text changed.
    ``reactions`` are as `with_reaction` writes them.
    """

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = get_args(CommentEvent)

    task_id: TaskId | None = None
    parent_id: CommentId | None = None
    body: str = ""
    mentions: tuple[UserId, ...] = ()
    created_by: UserId | None = None
    created_at: datetime | None = None
    edits: int = 0
    deleted: bool = False
    deleted_by: UserId | None = None
    purged: bool = False
    external_id: str | None = None
    occurred_at: datetime | None = None
    author: str | None = None
    reactions: tuple[str, ...] = ()

    def evolve(self, event: CommentEvent) -> "Comment":
        match event:
            case CommentPosted():
                return _posted(event)
            case CommentImported():
                return replace(
                    self,
                    external_id=event.external_id,
                    occurred_at=event.occurred_at,
                    author=event.author,
                )
            case CommentEdited():
                edits = self.edits + 1
                return replace(self, body=event.body, mentions=event.mentions, edits=edits)
            case CommentDeleted():
                return replace(self, deleted=True, deleted_by=event.deleted_by)
            case CommentRestored():
                return replace(self, deleted=False, deleted_by=None)
            case CommentPurged():
                return replace(
                    self,
                    body=ERASED,
                    deleted=True,
                    purged=True,
                    external_id=None,
                    occurred_at=None,
                    author=None,
                )
            case ReactionAdded():
                return replace(
                    self, reactions=with_reaction(self.reactions, event.emoji, event.user_id)
                )
            case ReactionRemoved():
                return replace(
                    self, reactions=without_reaction(self.reactions, event.emoji, event.user_id)
                )
            case _:
                assert_never(event)

    @property
    def origin(self) -> TaskOrigin | None:
        """Where the comment was imported from; None if it was posted here."""
        return imported_from(self)

    # Decisions: each returns the events to record; an empty list means that nothing changes.

    def post(self, posted: CommentPosted) -> list[CommentEvent]:
        """Post the comment; a repeated call is a retry and records nothing."""
        return [] if self.task_id is not None else [posted]

    def edit(self, by: UserId, body: str, mentions: tuple[UserId, ...]) -> list[CommentEvent]:
        """Change the text and whom it mentions.

        :raises CommentOfAnother: *by* is not its author.
        """
        task_id = self.refuse_unless_here()
        if by != self.created_by:
            raise CommentOfAnother
        if body == self.body and mentions == self.mentions:
            return []
        added = tuple([user for user in mentions if user not in self.mentions])
        return [CommentEdited(task_id=task_id, body=body, mentions=mentions, added=added)]

    def react(self, by: UserId, emoji: str) -> list[CommentEvent]:
        """Add a reaction; raise TooManyReactions if the comment has as many as it can have."""
        task_id = self.refuse_unless_here()
        if has_reacted(self.reactions, emoji, by):
            return []
        refuse_if_many(self.reactions, emoji)
        return [ReactionAdded(task_id=task_id, emoji=emoji, user_id=by, author=self.created_by)]

    def take_back(self, by: UserId, emoji: str) -> list[CommentEvent]:
        """Remove a reaction."""
        task_id = self.refuse_unless_here()
        if not has_reacted(self.reactions, emoji, by):
            return []
        return [ReactionRemoved(task_id=task_id, emoji=emoji, user_id=by)]

    def delete(self, by: UserId, project_id: ProjectId | None) -> list[CommentEvent]:
        task_id = self.refuse_unless_here()
        return [
            CommentDeleted(
                task_id=task_id, deleted_by=by, project_id=project_id, owner=self.created_by
            )
        ]

    def restore(self) -> list[CommentEvent]:
        if self.task_id is None or self.purged:
            raise NotFound
        return [CommentRestored(task_id=self.task_id)] if self.deleted else []

    def refuse_unless_here(self) -> TaskId:
        """Return the task; raise NotFound if the comment was never posted or is in the trash."""
        if self.task_id is None or self.deleted:
            raise NotFound
        return self.task_id

    def refuse_answer(self) -> None:
        """Refuse to be answered if this is an answer itself.

        :raises ThreadTooDeep: it is; ``parent_id`` names the comment that began the thread.
        """
        self.refuse_unless_here()
        if self.parent_id is not None:
            raise ThreadTooDeep(parent_id=self.parent_id)


def _posted(event: CommentPosted) -> Comment:
    return Comment(
        task_id=event.task_id,
        parent_id=event.parent_id,
        body=event.body,
        mentions=event.mentions,
        created_by=event.created_by,
        created_at=event.created_at,
    )


# Errors ---------------------------------------------------------------------


class CommentOfAnother(DomainError):
    """Only the author of a comment can change its text."""

    code = "comment_of_another"
    refusal = Refusal.FORBIDDEN


class ThreadTooDeep(DomainError):
    """This comment is an answer itself. Answer the one that began the thread: `parentId`."""

    code = "thread_too_deep"
    refusal = Refusal.CONFLICT
