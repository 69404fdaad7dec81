"""Stories of the commands that import comments and relations of a file."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from commands.exchange.content_line import (
    CommentLine,
    NumberedComment,
    NumberedRelation,
    RelationLine,
)
from commands.exchange.import_comments import ImportComments
from commands.exchange.import_piece import ImportedContents
from commands.exchange.import_relations import ImportRelations
from domain.base import CommentId
from domain.identity.plan import PlanLimitReached
from domain.work.comment import CommentDeleted, CommentImported
from domain.work.project.errors import ProjectOnHold
from domain.work.project.events import ProjectPutOnHold
from domain.work.relation import RelationAdded, RelationKind, graph_of
from domain.work.task.events import TaskDeleted
from domain.work.task.imported import TaskImported
from tests.commands.acme import ANSWER, CHILD, COMMENT, HERE, comment, task
from tests.domain.spec import ACME, ANA, CLEO, ENG, TASK
from tests.spec import data_keys, given, on

NEW, NEWER = CommentId(UUID(int=501)), CommentId(UUID(int=502))
OLD = datetime(2019, 3, 1, tzinfo=UTC)
J1 = on(CHILD, task(number=2), TaskImported(external_id="J-1"))
IMPORTED = CommentImported(task_id=CHILD, external_id="c1", occurred_at=OLD, author="Jo")
GRAPH = graph_of(ACME)
Noted = list[ImportedContents]


def said(number: int, comment_id: CommentId, **about: Any) -> NumberedComment:
    return NumberedComment(number, comment_id, CommentLine(**{"body": "Done?", **about}))


def comments(
    *lines: NumberedComment,
    note: Callable[[ImportedContents], None] = lambda _: None,
) -> ImportComments:
    keys = data_keys().fingerprint
    return ImportComments(project_id=ENG, lines=lines, fingerprint=keys, note=note)


def relations(
    *lines: RelationLine, note: Callable[[ImportedContents], None] = lambda _: None
) -> ImportRelations:
    numbered = tuple(NumberedRelation(n, line) for n, line in enumerate(lines, start=1))
    keys = data_keys().fingerprint
    return ImportRelations(project_id=ENG, lines=numbered, fingerprint=keys, note=note)


def codes(noted: Noted) -> list[str | None]:
    return [None if each.refused is None else each.refused.code for each in noted[-1].outcomes]


class TestImportComments:
    def test_a_line_becomes_a_comment_that_says_where_it_came_from(self) -> None:
        line = said(
            1,
            NEW,
            id="c1",
            task="J-1",
            occurred_at=OLD,
            author="Jo",
            mentions=(str(CLEO), "nobody@else.example", str(CLEO)),
        )
        given(*HERE, J1).when(comments(line)).then(
            on(NEW, comment(task_id=CHILD, mentions=(CLEO,)), IMPORTED)
        )

    def test_an_answer_finds_its_thread_in_the_same_lines_and_by_its_own_id(self) -> None:
        first = said(1, NEW, id="c1", task="J-1")
        second = said(2, NEWER, id="c2", task="J-1", parent="c1")
        here = said(1, NEW, id="c3", task=str(TASK), parent=str(COMMENT))
        given(*HERE, J1).when(comments(first, second)).then(
            on(NEW, comment(task_id=CHILD), CommentImported(task_id=CHILD, external_id="c1")),
            on(
                NEWER,
                comment(task_id=CHILD, parent=NEW),
                CommentImported(task_id=CHILD, external_id="c2"),
            ),
        )
        given(*HERE, on(COMMENT, comment())).when(comments(here)).then(
            on(NEW, comment(parent=COMMENT), CommentImported(task_id=TASK, external_id="c3"))
        )

    def test_what_has_an_external_id_already_is_left_alone_also_in_the_trash(self) -> None:
        gone = CommentDeleted(task_id=CHILD, deleted_by=ANA)
        past = on(COMMENT, comment(task_id=CHILD), IMPORTED, gone)
        noted: Noted = []
        again = comments(
            said(1, NEW, id="c1", task="J-1"),
            said(2, NEWER, id=str(ANSWER), task=str(TASK)),
            note=noted.append,
        )
        given(*HERE, J1, past, on(ANSWER, comment())).when(again).then()

        assert [each.id for each in noted[-1].outcomes] == [COMMENT, ANSWER]
        assert codes(noted) == [None, None]

    def test_a_refused_line_stops_no_other(self) -> None:
        answer = on(ANSWER, comment(task_id=CHILD, parent=COMMENT))
        noted: Noted = []
        asked = comments(
            said(1, COMMENT, id="c2", task="J-9"),
            said(2, COMMENT, id="c3", task="J-1", parent="c9"),
            said(3, COMMENT, id="c4", task="J-1", parent=str(ANSWER)),
            said(4, COMMENT, id="c5", task="J-1", parent=str(COMMENT)),
            said(5, NEW, id="c1", task="J-1", occurred_at=OLD, author="Jo"),
            note=noted.append,
        )
        talk = (on(COMMENT, comment()), answer)
        given(*HERE, J1, *talk).when(asked).then(on(NEW, comment(task_id=CHILD), IMPORTED))

        refused = ["unknown_task", "unknown_parent", "thread_too_deep", "unknown_parent", None]
        assert codes(noted) == refused

    def test_a_task_in_the_trash_gets_none(self) -> None:
        noted: Noted = []
        asked = comments(said(1, NEW, id="c1", task="J-1"), note=noted.append)
        given(*HERE, J1, on(CHILD, TaskDeleted())).when(asked).then()
        assert codes(noted) == ["not_found"]

    def test_plan_project_and_role_limit_a_command(self) -> None:
        lines = [said(n, CommentId(UUID(int=600 + n)), id=f"{n}", task="J-1") for n in range(51)]
        given(*HERE, J1).when(comments(*lines)).then_refused(PlanLimitReached)
        held = on(ENG, ProjectPutOnHold())
        given(*HERE, J1, held).when(comments(lines[0])).then_refused(ProjectOnHold)


class TestImportRelations:
    def test_tasks_are_related_as_the_lines_say_each_once(self) -> None:
        noted: Noted = []
        asked = relations(
            RelationLine(task="J-1", kind=RelationKind.BLOCKS, to=str(TASK)),
            RelationLine(task=str(TASK), kind=RelationKind.BLOCKED_BY, to="J-1"),
            RelationLine(task=str(TASK), kind=RelationKind.BLOCKS, to="J-1"),
            RelationLine(task="J-1", kind=RelationKind.DUPLICATES, to="J-2"),
            note=noted.append,
        )
        given(*HERE, J1).when(asked).then(
            on(GRAPH, RelationAdded(kind=RelationKind.BLOCKS, from_=CHILD, to=TASK, open=True))
        )

        assert codes(noted) == [None, None, "relation_cycle", "unknown_task"]
        assert [each.made for each in noted[-1].outcomes] == [True, False, False, False]

    def test_a_second_import_records_nothing(self) -> None:
        there = RelationAdded(kind=RelationKind.RELATES, from_=TASK, to=CHILD)
        again = relations(RelationLine(task="J-1", kind=RelationKind.RELATES, to=str(TASK)))
        given(*HERE, J1, on(GRAPH, there)).when(again).then()

    def test_a_project_on_hold_takes_no_relations(self) -> None:
        asked = relations(RelationLine(task="J-1", kind=RelationKind.BLOCKS, to=str(TASK)))
        given(*HERE, J1, on(ENG, ProjectPutOnHold())).when(asked).then_refused(ProjectOnHold)
