"""Events of what hangs on tasks, and what takes back each of them."""

from domain.planning import worklog
from domain.work import attachment, comment
from domain.work.relation import RelationRemoved
from tests.commands import acme
from tests.commands.acme import CHILD, COMMENT, FILE, HERE
from tests.commands.planning.plans import FIRST, SPENT, SPENT_ON, spent
from tests.commands.undo.rows import (
    BLOCKS,
    COMMENT_GONE,
    FILE_GONE,
    GRAPH,
    RELATED,
    SECOND,
    TIME_GONE,
    UNRELATED,
    Row,
    of,
)
from tests.domain.spec import ANA, TASK
from tests.spec import on

CONTENT_ROWS: list[Row] = [
    Row(
        on(GRAPH, RELATED),
        (RelationRemoved(kind=BLOCKS, from_=TASK, to=CHILD, open=True),),
        (*HERE, SECOND),
    ),
    Row(on(GRAPH, RELATED, UNRELATED), (RELATED,), (*HERE, SECOND)),
    of(COMMENT, acme.comment(), then=COMMENT_GONE, task=True),
    of(
        COMMENT,
        acme.comment(),
        comment.CommentEdited(task_id=TASK, body="Well?", mentions=(), added=()),
        then=comment.CommentEdited(task_id=TASK, body="Done?", mentions=(), added=()),
        task=True,
    ),
    of(
        COMMENT,
        acme.comment(),
        COMMENT_GONE,
        then=comment.CommentRestored(task_id=TASK),
        task=True,
    ),
    of(
        COMMENT,
        acme.comment(),
        COMMENT_GONE,
        comment.CommentRestored(task_id=TASK),
        then=COMMENT_GONE,
        task=True,
    ),
    of(FILE, acme.attachment(), then=FILE_GONE, task=True),
    of(SPENT, spent(), then=TIME_GONE, task=True),
    of(
        SPENT,
        spent(),
        worklog.WorklogChanged(task_id=TASK, minutes=45, by=15, day=SPENT_ON, note=None),
        then=(
            worklog.WorklogChanged(task_id=TASK, minutes=30, by=-15, day=SPENT_ON, note=None),
            worklog.WorklogChanged(task_id=TASK, minutes=30, by=0, day=SPENT_ON, note="Oiled"),
        ),
        task=True,
    ),
    of(
        SPENT,
        spent(),
        worklog.WorklogChanged(task_id=TASK, minutes=30, by=0, day=FIRST, note="Oiled"),
        then=worklog.WorklogChanged(task_id=TASK, minutes=30, by=0, day=SPENT_ON, note="Oiled"),
        task=True,
    ),
    of(
        SPENT,
        spent(),
        TIME_GONE,
        then=worklog.WorklogRestored(task_id=TASK, minutes=30),
        task=True,
    ),
    of(
        SPENT,
        spent(),
        TIME_GONE,
        worklog.WorklogRestored(task_id=TASK, minutes=30),
        then=TIME_GONE,
        task=True,
    ),
    of(
        FILE,
        acme.attachment(),
        FILE_GONE,
        then=attachment.AttachmentRestored(task_id=TASK),
        task=True,
    ),
    of(
        FILE,
        acme.attachment(),
        FILE_GONE,
        attachment.AttachmentRestored(task_id=TASK),
        then=FILE_GONE,
        task=True,
    ),
    of(
        COMMENT,
        acme.comment(),
        comment.ReactionAdded(task_id=TASK, emoji="👍", user_id=ANA, author=ANA),
        then=comment.ReactionRemoved(task_id=TASK, emoji="👍", user_id=ANA),
        task=True,
    ),
    of(
        COMMENT,
        acme.comment(),
        comment.ReactionAdded(task_id=TASK, emoji="👍", user_id=ANA, author=ANA),
        comment.ReactionRemoved(task_id=TASK, emoji="👍", user_id=ANA),
        then=comment.ReactionAdded(task_id=TASK, emoji="👍", user_id=ANA, author=ANA),
        task=True,
    ),
]
