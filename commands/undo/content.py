"""What takes back each event of comments, attachments and logged time, and of relations."""

from collections.abc import Iterable
from functools import partial

from commands.base import Command, NotPermitted
from commands.planning.worklog import ChangeWorklog, DeleteWorklog, RestoreWorklog
from commands.undo.changed import (
    IMPORTED,
    NOT_BROUGHT_BACK,
    Answer,
    Changed,
    Final,
    Inverse,
    trashing,
    whole,
)
from commands.work.attachment import DeleteAttachment, RestoreAttachment
from commands.work.comment import (
    DeleteComment,
    EditComment,
    ReactToComment,
    RestoreComment,
    TakeBackReaction,
)
from commands.work.relation import AddRelation, RemoveRelation
from domain.base import Event
from domain.planning.worklog import (
    WorklogAdded,
    WorklogChanged,
    WorklogDeleted,
    WorklogImported,
    WorklogPurged,
    WorklogRestored,
)
from domain.work.attachment import (
    AttachmentDeleted,
    AttachmentImported,
    AttachmentPurged,
    AttachmentRestored,
    AttachmentScanned,
    AttachmentUploaded,
)
from domain.work.comment import (
    CommentDeleted,
    CommentEdited,
    CommentImported,
    CommentPosted,
    CommentPurged,
    CommentRestored,
    ReactionAdded,
    ReactionRemoved,
)
from domain.work.reaction import has_reacted
from domain.work.relation import RelationAdded, RelationRemoved


def _edited(changed: Changed) -> Iterable[Command]:
    back = changed.earlier("body", "mentions")
    if not back:
        return []
    task_id = changed.event.task_id
    return [EditComment(task_id=task_id, comment_id=changed.stream, **back)]


def _is_to_change(changed: Changed) -> bool:
    """Return whether a reaction is still as the event left it; only its owner changes it.

    :raises NotPermitted: the caller is somebody else.
    """
    event = changed.event
    is_there = has_reacted(changed.now.reactions, event.emoji, event.user_id)
    if is_there is not isinstance(event, ReactionAdded):
        return False
    if event.user_id != changed.caller:
        raise NotPermitted
    return True


def _unreact(changed: Changed) -> Iterable[Command]:
    event = changed.event
    if not _is_to_change(changed):
        return []
    asked = {"task_id": event.task_id, "comment_id": changed.stream, "emoji": event.emoji}
    return [TakeBackReaction(**asked)]


def _react(changed: Changed) -> Iterable[Command]:
    event = changed.event
    if not _is_to_change(changed):
        return []
    asked = {"task_id": event.task_id, "comment_id": changed.stream, "emoji": event.emoji}
    return [ReactToComment(**asked)]


def _related(changed: Changed) -> bool:
    event = changed.event
    return (event.kind, event.to) in changed.now.relations(event.from_)


def _unrelate(changed: Changed) -> Iterable[Command]:
    event = changed.event
    if not _related(changed):
        return []
    return [RemoveRelation(task_id=event.from_, kind=event.kind, other_id=event.to)]


def _relate(changed: Changed) -> Iterable[Command]:
    event = changed.event
    if _related(changed):
        return []
    return [AddRelation(task_id=event.from_, kind=event.kind, other_id=event.to)]


def _retimed(changed: Changed, name: str) -> Iterable[Command]:
    back = changed.earlier(name)
    if not back:
        return []
    task_id = changed.event.task_id
    return [ChangeWorklog(task_id=task_id, worklog_id=changed.stream, **back)]


def _retiming(name: str) -> Inverse:
    return Inverse(name, partial(_retimed, name=name), (name,))


_COMMENT_AWAY, _COMMENT_BACK = trashing(
    lambda changed: DeleteComment(task_id=changed.event.task_id, comment_id=changed.stream),
    lambda changed: RestoreComment(task_id=changed.event.task_id, comment_id=changed.stream),
)
_FILE_AWAY, _FILE_BACK = trashing(
    lambda changed: DeleteAttachment(task_id=changed.event.task_id, attachment_id=changed.stream),
    lambda changed: RestoreAttachment(task_id=changed.event.task_id, attachment_id=changed.stream),
)
_TIME_AWAY, _TIME_BACK = trashing(
    lambda changed: DeleteWorklog(task_id=changed.event.task_id, worklog_id=changed.stream),
    lambda changed: RestoreWorklog(task_id=changed.event.task_id, worklog_id=changed.stream),
)

OF_CONTENTS: dict[type[Event], Answer] = {
    CommentPosted: _COMMENT_AWAY,
    CommentImported: IMPORTED,
    CommentEdited: (Inverse("body", _edited),),
    CommentDeleted: _COMMENT_BACK,
    CommentRestored: _COMMENT_AWAY,
    CommentPurged: NOT_BROUGHT_BACK,
    ReactionAdded: (Inverse("reactions", _unreact),),
    ReactionRemoved: (Inverse("reactions", _react),),
    AttachmentUploaded: _FILE_AWAY,
    AttachmentImported: IMPORTED,
    AttachmentScanned: Final("What a scanner found in a file stays so."),
    AttachmentDeleted: _FILE_BACK,
    AttachmentRestored: _FILE_AWAY,
    AttachmentPurged: NOT_BROUGHT_BACK,
    WorklogAdded: _TIME_AWAY,
    WorklogImported: IMPORTED,
    WorklogChanged: (_retiming("minutes"), _retiming("day"), _retiming("note")),
    WorklogDeleted: _TIME_BACK,
    WorklogRestored: _TIME_AWAY,
    WorklogPurged: NOT_BROUGHT_BACK,
    RelationAdded: whole(_unrelate),
    RelationRemoved: whole(_relate),
}
"""What takes back each event of what hangs on tasks."""
