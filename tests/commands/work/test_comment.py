"""Stories of the commands on comments."""

from uuid import UUID

import pytest

from commands.base import Command, NotPermitted
from commands.work.comment import (
    DeleteComment,
    EditComment,
    PostComment,
    ReactToComment,
    RestoreComment,
    TakeBackReaction,
)
from domain.base import CommentId, NotFound, UserId
from domain.identity.organization.membership import MemberDeactivated
from domain.work.comment import (
    CommentDeleted,
    CommentEdited,
    CommentOfAnother,
    CommentRestored,
    ReactionAdded,
    ReactionRemoved,
    ThreadTooDeep,
)
from domain.work.project.errors import ProjectIsArchived
from domain.work.project.events import ProjectArchived, ProjectDeleted, ProjectPutOnHold
from domain.work.task.errors import ParentInTrash
from domain.work.task.events import TaskDeleted, TaskUnwatched, TaskWatched
from domain.work.task.state import WATCHERS_MAX
from tests.commands.acme import (
    ANSWER,
    CHILD,
    COMMENT,
    FOREIGN_TASK,
    HERE,
    STRANGERS,
    comment,
    task,
)
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, ENG, TASK
from tests.spec import given, on

WATCHED = (*HERE, on(TASK, TaskWatched(user_id=BEN), TaskWatched(user_id=CLEO)))
SAID = (*WATCHED, on(COMMENT, comment(by=CLEO)))
GONE = on(COMMENT, CommentDeleted(task_id=TASK, deleted_by=CLEO))
ARCHIVED = on(ENG, ProjectArchived())


def post(**about: object) -> PostComment:
    details: dict[str, object] = {"comment_id": ANSWER, "task_id": TASK, "body": "Done?"}
    return PostComment(**(details | about))  # type: ignore[arg-type]  # what is given is checked at run time


def edit(body: str = "Well?", **about: object) -> EditComment:
    return EditComment(task_id=TASK, comment_id=COMMENT, body=body, **about)  # type: ignore[arg-type]  # as above


DELETE = DeleteComment(task_id=TASK, comment_id=COMMENT)
RESTORE = RestoreComment(task_id=TASK, comment_id=COMMENT)
REACT = ReactToComment(task_id=TASK, comment_id=COMMENT, emoji="👍")
TAKE_BACK = TakeBackReaction(task_id=TASK, comment_id=COMMENT, emoji="👍")


def liked(by: UserId, emoji: str = "👍") -> ReactionAdded:
    return ReactionAdded(task_id=TASK, emoji=emoji, user_id=by, author=CLEO)


class TestPostComment:
    def test_every_member_comments_on_a_task(self) -> None:
        for by in (ANA, BEN, CLEO):
            given(*WATCHED).when(post(), by=by).then(on(ANSWER, comment(by=by)))

    def test_an_answer_names_the_comment_that_began_the_thread(self) -> None:
        given(*SAID).when(post(parent_id=COMMENT)).then(on(ANSWER, comment(parent=COMMENT)))

    def test_an_answer_is_not_answered(self) -> None:
        answer = on(ANSWER, comment(parent=COMMENT))
        third = post(comment_id=CommentId(CHILD), parent_id=ANSWER)
        given(*SAID, answer).when(third).then_refused(ThreadTooDeep, parent_id=COMMENT)

    def test_a_comment_on_another_task_or_in_the_trash_is_not_answered(self) -> None:
        other = on(CHILD, task(2))
        answer = post(parent_id=COMMENT)
        given(*SAID, other).when(post(task_id=CHILD, parent_id=COMMENT)).then_refused(NotFound)
        given(*SAID, GONE).when(answer).then_refused(NotFound)
        given(*WATCHED).when(answer).then_refused(NotFound)

    def test_members_are_mentioned_once_each(self) -> None:
        mentions = (BEN, CLEO, BEN)
        given(*WATCHED).when(post(mentions=mentions)).then(comment(mentions=(BEN, CLEO)))

    @pytest.mark.parametrize("who", [DAN, UserId(ENG)])
    def test_nobody_else_is_mentioned(self, who: UserId) -> None:
        asked = post(mentions=(BEN, who))
        given(*WATCHED, *STRANGERS).when(asked).then_refused(NotFound, user_id=who)

    def test_a_deactivated_member_is_not_mentioned(self) -> None:
        closed = on(ACME, MemberDeactivated(user_id=BEN))
        given(*WATCHED, closed).when(post(mentions=(BEN,))).then_refused(NotFound, user_id=BEN)

    def test_posting_again_records_nothing(self) -> None:
        given(*SAID).when(post(comment_id=COMMENT), by=CLEO).then()

    def test_comments_are_taken_while_the_project_is_on_hold(self) -> None:
        given(*WATCHED, on(ENG, ProjectPutOnHold())).when(post()).then(comment())

    def test_whoever_comments_or_is_mentioned_watches_the_task(self) -> None:
        said = on(ANSWER, comment(by=BEN, mentions=(ANA, CLEO)))
        watching = on(TASK, TaskWatched(user_id=BEN), TaskWatched(user_id=CLEO))
        given(*HERE).when(post(mentions=(ANA, CLEO)), by=BEN).then(said, watching)

    def test_a_task_with_as_many_watchers_as_it_can_have_is_commented_on(self) -> None:
        crowd = (UserId(UUID(int=1_000 + n)) for n in range(WATCHERS_MAX - 1))
        full = on(TASK, *(TaskWatched(user_id=user) for user in crowd))
        given(*HERE, full).when(post(), by=CLEO).then(comment(by=CLEO))


class TestEditComment:
    def test_the_author_changes_the_text_and_keeps_the_mentions(self) -> None:
        said = on(COMMENT, comment(by=CLEO, mentions=(BEN,)))
        edited = CommentEdited(task_id=TASK, body="Well?", mentions=(BEN,))
        given(*WATCHED, said).when(edit(), by=CLEO).then(on(COMMENT, edited))

    def test_somebody_who_left_stays_mentioned(self) -> None:
        said = on(COMMENT, comment(by=CLEO, mentions=(BEN,)))
        closed = on(ACME, MemberDeactivated(user_id=BEN))
        again, more = edit(mentions=(BEN,)), edit(mentions=(BEN, DAN))
        edited = CommentEdited(task_id=TASK, body="Well?", mentions=(BEN,))
        given(*WATCHED, said, closed).when(again, by=CLEO).then(edited)
        given(*WATCHED, said, closed).when(more, by=CLEO).then_refused(NotFound, user_id=DAN)

    def test_whoever_is_mentioned_later_watches_the_task(self) -> None:
        said = on(COMMENT, comment(by=CLEO))
        gone = on(TASK, TaskUnwatched(user_id=BEN))
        edited = on(
            COMMENT, CommentEdited(task_id=TASK, body="Well?", mentions=(BEN,), added=(BEN,))
        )
        watched = on(TASK, TaskWatched(user_id=BEN))
        given(*WATCHED, said, gone).when(edit(mentions=(BEN,)), by=CLEO).then(edited, watched)

    def test_the_same_text_records_nothing(self) -> None:
        given(*SAID).when(edit("Done?"), by=CLEO).then()

    def test_nobody_changes_the_text_of_another(self) -> None:
        for by in (ANA, BEN):
            given(*SAID).when(edit(), by=by).then_refused(CommentOfAnother)


class TestDeleteComment:
    def test_authors_managers_and_admins_delete_a_comment(self) -> None:
        for by in (ANA, BEN, CLEO):
            given(*SAID).when(DELETE, by=by).then(
                on(
                    COMMENT,
                    CommentDeleted(task_id=TASK, deleted_by=by, project_id=ENG, owner=CLEO),
                )
            )

    def test_a_member_deletes_no_comment_of_another(self) -> None:
        said = on(COMMENT, comment(by=BEN))
        given(*WATCHED, said).when(DELETE, by=CLEO).then_refused(
            NotPermitted, needs="comment:delete"
        )


class TestRestoreComment:
    def test_authors_restore_what_they_deleted(self) -> None:
        given(*SAID, GONE).when(RESTORE, by=CLEO).then(on(COMMENT, CommentRestored(task_id=TASK)))

    def test_authors_do_not_restore_what_a_manager_deleted(self) -> None:
        gone = on(COMMENT, CommentDeleted(task_id=TASK, deleted_by=BEN))
        given(*SAID, gone).when(RESTORE, by=CLEO).then_refused(NotPermitted)
        given(*SAID, gone).when(RESTORE, by=ANA).then(CommentRestored(task_id=TASK))

    def test_a_comment_that_is_here_is_not_restored(self) -> None:
        given(*SAID).when(RESTORE, by=CLEO).then()


class TestReactions:
    def test_every_member_reacts_once_with_an_emoji(self) -> None:
        for by in (ANA, BEN, CLEO):
            given(*SAID).when(REACT, by=by).then(on(COMMENT, liked(by)))
            given(*SAID, on(COMMENT, liked(by))).when(REACT, by=by).then()

    def test_everyone_takes_back_their_own_reaction_only(self) -> None:
        given(*SAID, on(COMMENT, liked(BEN))).when(TAKE_BACK, by=ANA).then()
        gone = ReactionRemoved(task_id=TASK, emoji="👍", user_id=BEN)
        given(*SAID, on(COMMENT, liked(BEN))).when(TAKE_BACK, by=BEN).then(on(COMMENT, gone))

    def test_nobody_reacts_to_what_is_in_the_trash(self) -> None:
        for command in (REACT, TAKE_BACK):
            given(*SAID, GONE).when(command, by=BEN).then_refused(NotFound)


@pytest.mark.parametrize(
    "command", [post(), edit(), DELETE, RESTORE, REACT, TAKE_BACK], ids=lambda c: type(c).__name__
)
class TestEveryCommandOnComments:
    def test_nothing_is_said_in_an_archived_project(self, command: Command) -> None:
        given(*SAID, ARCHIVED).when(command, by=CLEO).then_refused(ProjectIsArchived)

    def test_nothing_is_said_about_a_deleted_task_or_project(self, command: Command) -> None:
        for gone in (on(TASK, TaskDeleted()), on(ENG, ProjectDeleted())):
            error = ParentInTrash if command is RESTORE else NotFound
            given(*SAID, gone).when(command, by=CLEO).then_refused(error)

    def test_strangers_find_nothing(self, command: Command) -> None:
        given(*SAID, *STRANGERS).when(command, by=DAN).then_refused(NotFound)

    def test_a_comment_is_found_by_its_task_only(self, command: Command) -> None:
        fields = {name: getattr(command, name) for name in command.__struct_fields__}
        elsewhere = type(command)(**fields | {"task_id": FOREIGN_TASK})
        given(*SAID, *STRANGERS).when(elsewhere, by=CLEO).then_refused(NotFound)
        if not isinstance(command, PostComment):
            beside = type(command)(**fields | {"task_id": CHILD})
            given(*SAID, on(CHILD, task(2))).when(beside, by=CLEO).then_refused(NotFound)
