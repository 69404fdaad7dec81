"""A comment is changed by its author only, and a thread has one level."""

import pytest

from domain.base import NotFound
from domain.work.comment import (
    Comment,
    CommentDeleted,
    CommentEdited,
    CommentOfAnother,
    CommentRestored,
    ThreadTooDeep,
)
from tests.commands.acme import COMMENT, comment
from tests.domain.spec import ANA, BEN, TASK, check_refused, check_repeating_records_nothing, given

SAID = given(Comment(), comment(mentions=(BEN,)))
ANSWERED = given(Comment(), comment(parent=COMMENT))
GONE = given(SAID, CommentDeleted(task_id=TASK, deleted_by=BEN))


def test_the_author_changes_text_and_mentions() -> None:
    assert SAID.edit(ANA, "Well?", (ANA, BEN)) == [
        CommentEdited(task_id=TASK, body="Well?", mentions=(ANA, BEN), added=(ANA,))
    ]
    assert SAID.edit(ANA, "Done?", ()) == [CommentEdited(task_id=TASK, body="Done?")]
    assert given(SAID, CommentEdited(task_id=TASK, body="Well?")).edits == 1


def test_nobody_else_changes_a_text() -> None:
    with pytest.raises(CommentOfAnother):
        SAID.edit(BEN, "Mine now", ())


def test_an_answer_is_not_answered() -> None:
    SAID.refuse_answer()

    with pytest.raises(ThreadTooDeep) as refused:
        ANSWERED.refuse_answer()
    assert refused.value.details == {"parent_id": COMMENT}


def test_a_deleted_comment_can_only_be_restored() -> None:
    check_refused(
        NotFound,
        lambda: GONE.edit(ANA, "Well?", ()),
        lambda: GONE.delete(ANA, None),
        GONE.refuse_answer,
        Comment().restore,
    )
    assert GONE.restore() == [CommentRestored(task_id=TASK)]
    assert given(GONE, CommentRestored(task_id=TASK)) == SAID


def test_repeating_a_decision_records_nothing() -> None:
    check_repeating_records_nothing(
        Comment(),
        [
            lambda state: state.post(comment()),
            lambda state: state.edit(ANA, "Well?", (BEN,)),
            lambda state: state.delete(BEN, None),
            lambda state: state.restore(),
        ],
    )
