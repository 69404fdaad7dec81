"""Stories of the command that imports files, and of relations that lead to other projects."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from commands.exchange.content_line import FileContent, FileLine, NumberedFile, RelationLine
from commands.exchange.import_files import ImportFiles
from commands.exchange.import_piece import ImportedContents
from domain.base import AttachmentId, TaskId
from domain.identity.plan import PlanLimitReached
from domain.work.attachment import (
    AttachmentDeleted,
    AttachmentImported,
    AttachmentUploaded,
    ScanState,
)
from domain.work.project.errors import ProjectOnHold
from domain.work.project.events import (
    ProjectCreated,
    ProjectKeyChanged,
    ProjectPutOnHold,
    ProjectVisibilityChanged,
    Visibility,
)
from domain.work.relation import RelationAdded, RelationKind
from domain.work.task.events import TaskDeleted
from domain.work.task.imported import TaskImported
from tests.commands.acme import CHILD, FILE, HERE, OPS, task
from tests.commands.exchange.test_import_contents import GRAPH, J1, Noted, codes, relations
from tests.domain.spec import ANA, BEN, CLEO, ENG, NOW, TASK
from tests.spec import data_keys, given, on

NEW, NEWER = AttachmentId(UUID(int=501)), AttachmentId(UUID(int=502))
OLD = datetime(2019, 3, 1, tzinfo=UTC)
OIL = FileContent("plan.txt", "text/plain", 3, "0" * 64, ScanState.CLEAN)
FAR = TaskId(UUID(int=77))
THERE = (
    on(OPS, ProjectCreated(key="OPS", name="Ops", created_by=ANA)),
    on(FAR, task(project=OPS, key="OPS"), TaskImported(external_id="J-9")),
)


def file(
    number: int, attachment_id: AttachmentId, content: FileContent = OIL, **about: Any
) -> NumberedFile:
    known: dict[str, Any] = {"id": "f1", "task": "J-1", "name": "plan.txt"}
    line = FileLine(**(known | about))
    return NumberedFile(number, attachment_id, line, content)


def files(
    *lines: NumberedFile, note: Callable[[ImportedContents], None] = lambda _: None
) -> ImportFiles:
    keys = data_keys().fingerprint
    return ImportFiles(project_id=ENG, lines=lines, fingerprint=keys, note=note)


def uploaded(**about: Any) -> AttachmentUploaded:
    return AttachmentUploaded(
        task_id=CHILD, **OIL._asdict(), created_by=ANA, created_at=NOW, **about
    )


class TestImportFiles:
    def test_a_line_becomes_a_file_that_says_where_it_came_from(self) -> None:
        line = file(1, NEW, occurred_at=OLD, author="Jo")
        came = AttachmentImported(task_id=CHILD, external_id="f1", occurred_at=OLD, author="Jo")
        given(*HERE, J1).when(files(line)).then(on(NEW, uploaded(), came))

    def test_what_has_an_external_id_already_is_left_alone_also_in_the_trash(self) -> None:
        came = AttachmentImported(task_id=CHILD, external_id="f1")
        gone = AttachmentDeleted(task_id=CHILD, deleted_by=ANA)
        noted: Noted = []
        again = files(file(1, NEWER), file(2, NEWER, id=str(FILE)), note=noted.append)
        past = (on(NEW, uploaded(), came, gone), on(FILE, uploaded()))
        given(*HERE, J1, *past).when(again).then()

        assert [each.id for each in noted[-1].outcomes] == [NEW, FILE]

    def test_a_refused_line_stops_no_other(self) -> None:
        large = OIL._replace(size=10_000_001)
        noted: Noted = []
        asked = files(
            file(1, NEWER, task="J-9"),
            file(2, NEWER, large, id="f2"),
            file(3, NEW),
            file(4, NEWER),
            note=noted.append,
        )
        came = AttachmentImported(task_id=CHILD, external_id="f1")
        given(*HERE, J1).when(asked).then(on(NEW, uploaded(), came))

        assert codes(noted) == ["unknown_task", "plan_limit", None, None]
        assert [each.made for each in noted[-1].outcomes] == [False, False, True, False]

    def test_a_task_in_the_trash_gets_none(self) -> None:
        noted: Noted = []
        asked = files(file(1, NEW), note=noted.append)
        given(*HERE, J1, on(CHILD, TaskDeleted())).when(asked).then()
        assert codes(noted) == ["not_found"]

    def test_plan_and_project_limit_a_command(self) -> None:
        many = [file(n, AttachmentId(UUID(int=600 + n)), id=f"{n}") for n in range(51)]
        given(*HERE, J1).when(files(*many)).then_refused(PlanLimitReached)
        held = on(ENG, ProjectPutOnHold())
        given(*HERE, J1, held).when(files(many[0])).then_refused(ProjectOnHold)


class TestRelationsElsewhere:
    def test_a_task_elsewhere_is_found_by_its_external_id_its_own_and_its_keys(self) -> None:
        blocks = RelationLine(task="J-1", kind=RelationKind.BLOCKS, to="J-9", to_project="OPS")
        moved = on(OPS, ProjectKeyChanged(from_="OPS", to="RUN"))
        made = on(GRAPH, RelationAdded(kind=RelationKind.BLOCKS, from_=CHILD, to=FAR, open=True))
        for line in (
            blocks,
            replace(blocks, to=str(FAR)),
            replace(blocks, to=str(FAR), to_project=None),
            replace(blocks, to="OPS-1"),
            replace(blocks, to="OPS-1", to_project=None),
        ):
            given(*HERE, J1, *THERE).when(relations(line)).then(made)
            given(*HERE, J1, *THERE, moved).when(relations(line)).then(made)

    def test_who_does_not_see_the_other_task_relates_nothing(self) -> None:
        private = ProjectVisibilityChanged(from_=Visibility.ORGANIZATION, to=Visibility.PRIVATE)
        line = RelationLine(task="J-1", kind=RelationKind.BLOCKS, to="J-9", to_project="OPS")
        for by, past in ((CLEO, on(OPS, private)), (BEN, on(FAR, TaskDeleted()))):
            noted: Noted = []
            asked = relations(line, note=noted.append)
            given(*HERE, J1, *THERE, past).when(asked, by=by).then()
            assert codes(noted) == ["unknown_task"]

    def test_a_key_of_another_project_than_the_one_that_is_named_is_none(self) -> None:
        noted: Noted = []
        asked = relations(
            RelationLine(task="J-1", kind=RelationKind.BLOCKS, to="OPS-1", to_project="ENG"),
            RelationLine(task="J-1", kind=RelationKind.BLOCKS, to="J-9"),
            RelationLine(task="J-9", kind=RelationKind.BLOCKS, to=str(TASK)),
            note=noted.append,
        )
        given(*HERE, J1, *THERE).when(asked).then()
        assert codes(noted) == ["unknown_task"] * 3
