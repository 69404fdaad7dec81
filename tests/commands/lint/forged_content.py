"""Comments and attachments in the test of the log's check: right ones, and forged ones."""

from uuid import UUID

from commands.base import Command
from commands.planning.worklog import ChangeWorklog, DeleteWorklog, LogTime, RestoreWorklog
from commands.work.attachment import AttachFile, DeleteAttachment, RestoreAttachment
from commands.work.comment import DeleteComment, EditComment, PostComment, RestoreComment
from domain.planning.worklog import WorklogDeleted, WorklogPurged, WorklogRestored
from domain.work.attachment import (
    AttachmentDeleted,
    AttachmentPurged,
    AttachmentScanned,
    ScanState,
)
from domain.work.comment import CommentDeleted, CommentEdited, CommentPurged, CommentRestored
from domain.work.project.events import ProjectArchived
from domain.work.task.events import TaskDeleted, TaskRestored
from domain.work.task.trash_events import TaskPurged
from tests.commands.acme import ANSWER, CHILD, COMMENT, FILE, attachment, comment
from tests.commands.planning.plans import SPENT, spent
from tests.domain.spec import ANA, ENG, TASK
from tests.spec import Past, on

NEW = UUID(int=0xF0)
SCANNED = AttachmentScanned(task_id=TASK, state=ScanState.CLEAN)
UNFILED = AttachmentDeleted(task_id=TASK, deleted_by=ANA)
UNSPENT = WorklogDeleted(task_id=TASK, minutes=30, deleted_by=ANA)
GONE = CommentDeleted(task_id=TASK, deleted_by=ANA)
WELL = CommentEdited(task_id=TASK, body="Well?")

TALK: tuple[Command, ...] = (
    PostComment(comment_id=COMMENT, task_id=CHILD, body="Done?"),
    PostComment(comment_id=ANSWER, task_id=CHILD, body="Yes", parent_id=COMMENT),
    EditComment(comment_id=COMMENT, task_id=CHILD, body="Well?"),
    DeleteComment(comment_id=COMMENT, task_id=CHILD),
    RestoreComment(comment_id=COMMENT, task_id=CHILD),
    DeleteComment(comment_id=COMMENT, task_id=CHILD),
    AttachFile(
        attachment_id=FILE,
        task_id=CHILD,
        name="plan.pdf",
        media_type="application/pdf",
        size=7,
        sha256="0" * 64,
        state=ScanState.PENDING,
    ),
    DeleteAttachment(attachment_id=FILE, task_id=CHILD),
    RestoreAttachment(attachment_id=FILE, task_id=CHILD),
    LogTime(worklog_id=SPENT, task_id=CHILD, minutes=30),
    ChangeWorklog(worklog_id=SPENT, task_id=CHILD, minutes=45),
    DeleteWorklog(worklog_id=SPENT, task_id=CHILD),
    RestoreWorklog(worklog_id=SPENT, task_id=CHILD),
)
"""What is said about a task in a log without faults."""

FORGED_CONTENT: list[tuple[str, list[Past]]] = [
    (
        "something is purged that is neither in the trash nor in what is purged",
        [on(NEW, comment(), CommentPurged(task_id=TASK))],
    ),
    (
        "something is purged that is neither in the trash nor in what is purged",
        [on(NEW, attachment()), on(TASK, TaskDeleted()), on(NEW, AttachmentPurged(task_id=TASK))],
    ),
    ("what is purged is changed", [on(TASK, TaskDeleted(), TaskPurged(), TaskRestored())]),
    (
        "what is purged is changed",
        [on(NEW, comment(), GONE, CommentPurged(task_id=TASK), CommentRestored(task_id=TASK))],
    ),
    (
        "an attachment in an archived project is changed",
        [on(NEW, attachment()), on(ENG, ProjectArchived()), on(NEW, UNFILED)],
    ),
    (
        "an attachment of a task that is not here is changed",
        [on(NEW, attachment()), on(TASK, TaskDeleted()), on(NEW, UNFILED)],
    ),
    ("a deleted attachment is changed", [on(NEW, attachment(), UNFILED, UNFILED)]),
    ("an attachment is scanned twice", [on(NEW, attachment(), SCANNED)]),
    ("the first event of an attachment is not its upload", [on(NEW, UNFILED)]),
    (
        "a comment of a task that is not here is changed",
        [
            on(NEW, comment()),
            on(TASK, TaskDeleted()),
            on(NEW, CommentEdited(task_id=TASK, body="Well?")),
        ],
    ),
    (
        "a deleted comment is changed",
        [
            on(
                NEW,
                comment(),
                CommentDeleted(task_id=TASK, deleted_by=ANA),
                CommentEdited(task_id=TASK, body="Well?"),
            )
        ],
    ),
    (
        "a comment in an archived project is changed",
        [
            on(NEW, comment()),
            on(ENG, ProjectArchived()),
            on(NEW, CommentEdited(task_id=TASK, body="Well?")),
        ],
    ),
    ("a comment answers one on another task", [on(NEW, comment(parent=COMMENT))]),
    (
        "a comment answers an answer",
        [
            on(COMMENT, comment()),
            on(ANSWER, comment(parent=COMMENT)),
            on(NEW, comment(parent=ANSWER)),
        ],
    ),
    (
        "an entry of time in an archived project is changed",
        [on(NEW, spent()), on(ENG, ProjectArchived()), on(NEW, UNSPENT)],
    ),
    (
        "an entry of time of a task that is not here is changed",
        [on(NEW, spent()), on(TASK, TaskDeleted()), on(NEW, UNSPENT)],
    ),
    ("a deleted entry of time is changed", [on(NEW, spent(), UNSPENT, UNSPENT)]),
    ("the first event of an entry of time is not that it was logged", [on(NEW, UNSPENT)]),
    (
        "what is purged is changed",
        [
            on(
                NEW,
                spent(),
                UNSPENT,
                WorklogPurged(task_id=TASK),
                WorklogRestored(task_id=TASK, minutes=30),
            )
        ],
    ),
    ("the first event of a comment is not its posting", [on(NEW, CommentRestored(task_id=TASK))]),
]
"""Forged events, each with what the check says about it."""
