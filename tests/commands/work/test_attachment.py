"""Stories of the commands on attachments."""

from typing import Any

import pytest

from commands.base import Command, NotPermitted
from commands.work.attachment import AttachFile, DeleteAttachment, NoteScan, RestoreAttachment
from domain.base import AttachmentId, NotFound
from domain.identity.organization.events import PlanChanged
from domain.identity.plan import PLAN_LIMITS, Plan, PlanLimitReached
from domain.work.attachment import (
    AttachmentDeleted,
    AttachmentRestored,
    AttachmentScanned,
    ScanState,
)
from domain.work.project.errors import ProjectIsArchived
from domain.work.project.events import ProjectArchived, ProjectDeleted
from domain.work.task.errors import ParentInTrash
from domain.work.task.events import TaskDeleted
from tests.commands.acme import (
    CHILD,
    COMMENT,
    FILE,
    FOREIGN_TASK,
    HERE,
    STRANGERS,
    attachment,
    task,
)
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, ENG, TASK
from tests.spec import given, on

FREE = PLAN_LIMITS[Plan.FREE]
ATTACHED = (*HERE, on(FILE, attachment(by=CLEO)))
GONE = on(FILE, AttachmentDeleted(task_id=TASK, deleted_by=CLEO))
DELETE = DeleteAttachment(task_id=TASK, attachment_id=FILE)
RESTORE = RestoreAttachment(task_id=TASK, attachment_id=FILE)


def attach(**about: Any) -> AttachFile:
    details: dict[str, Any] = {
        "attachment_id": FILE,
        "task_id": TASK,
        "name": "plan.pdf",
        "media_type": "application/pdf",
        "size": 7,
        "sha256": "0" * 64,
        "state": ScanState.CLEAN,
    }
    return AttachFile(**(details | about))


class TestAttachFile:
    def test_every_member_attaches_files(self) -> None:
        for by in (ANA, BEN, CLEO):
            given(*HERE).when(attach(), by=by).then(on(FILE, attachment(by=by)))

    def test_a_file_waits_for_its_scan(self) -> None:
        waiting = attachment(state=ScanState.PENDING)
        given(*HERE).when(attach(state=ScanState.PENDING)).then(waiting)

    def test_attaching_again_records_nothing(self) -> None:
        given(*ATTACHED).when(attach()).then()

    def test_a_file_has_the_size_that_the_plan_allows(self) -> None:
        most = FREE.file_bytes
        given(*HERE).when(attach(size=most)).then(attachment(size=most))
        given(*HERE).when(attach(size=most + 1)).then_refused(
            PlanLimitReached, what="file_bytes", limit=most, used=most + 1
        )
        larger = on(ACME, PlanChanged(from_=Plan.FREE, to=Plan.BASIC))
        given(*HERE, larger).when(attach(size=most + 1)).then(attachment(size=most + 1))

    def test_all_files_together_fit_into_the_plan(self) -> None:
        nearly = on(COMMENT, attachment(size=FREE.storage_bytes - 7))
        fits, over = attach(size=7), attach(size=8)
        given(*HERE, nearly).when(fits).then(attachment(size=7))
        given(*HERE, nearly).when(over).then_refused(
            PlanLimitReached, what="storage_bytes", limit=FREE.storage_bytes
        )

    def test_what_is_in_the_trash_takes_no_room(self) -> None:
        full = on(
            COMMENT,
            attachment(size=FREE.storage_bytes),
            AttachmentDeleted(task_id=TASK, deleted_by=ANA),
        )
        given(*HERE, full).when(attach()).then(attachment())


class TestNoteScan:
    def test_a_verdict_is_recorded_once(self) -> None:
        waiting = on(FILE, attachment(state=ScanState.PENDING))
        verdict = NoteScan(attachment_id=FILE, state=ScanState.INFECTED, found="Eicar")
        scanned = AttachmentScanned(task_id=TASK, state=ScanState.INFECTED, found="Eicar")
        given(*HERE, waiting).when(verdict).then(on(FILE, scanned))
        given(*HERE, waiting, on(FILE, scanned)).when(verdict).then()
        given(*HERE).when(verdict).then_refused(NotFound)

    def test_a_file_in_an_archived_project_is_scanned(self) -> None:
        waiting = on(FILE, attachment(state=ScanState.PENDING))
        verdict = NoteScan(attachment_id=FILE, state=ScanState.CLEAN)
        scanned = AttachmentScanned(task_id=TASK, state=ScanState.CLEAN)
        given(*HERE, waiting, on(ENG, ProjectArchived())).when(verdict).then(scanned)


class TestDeleteAttachment:
    def test_whoever_added_it_managers_and_admins_delete_a_file(self) -> None:
        for by in (ANA, BEN, CLEO):
            deleted = AttachmentDeleted(task_id=TASK, deleted_by=by, project_id=ENG, owner=CLEO)
            given(*ATTACHED).when(DELETE, by=by).then(on(FILE, deleted))

    def test_a_member_deletes_no_file_of_another(self) -> None:
        theirs = on(FILE, attachment(by=BEN))
        given(*HERE, theirs).when(DELETE, by=CLEO).then_refused(
            NotPermitted, needs="attachment:delete"
        )


class TestRestoreAttachment:
    def test_members_restore_what_they_deleted(self) -> None:
        given(*ATTACHED, GONE).when(RESTORE, by=CLEO).then(AttachmentRestored(task_id=TASK))

    def test_members_do_not_restore_what_a_manager_deleted(self) -> None:
        gone = on(FILE, AttachmentDeleted(task_id=TASK, deleted_by=BEN))
        given(*ATTACHED, gone).when(RESTORE, by=CLEO).then_refused(NotPermitted)
        given(*ATTACHED, gone).when(RESTORE, by=ANA).then(AttachmentRestored(task_id=TASK))

    def test_a_file_that_no_longer_fits_stays_in_the_trash(self) -> None:
        full = on(COMMENT, attachment(size=FREE.storage_bytes))
        given(*ATTACHED, GONE, full).when(RESTORE, by=CLEO).then_refused(
            PlanLimitReached, what="storage_bytes"
        )


EVERY: list[Command] = [attach(attachment_id=AttachmentId(COMMENT)), DELETE, RESTORE]


@pytest.mark.parametrize("command", EVERY, ids=lambda command: type(command).__name__)
class TestEveryCommandOnAttachments:
    def test_nothing_is_attached_in_an_archived_project(self, command: Command) -> None:
        archived = on(ENG, ProjectArchived())
        given(*ATTACHED, archived).when(command, by=CLEO).then_refused(ProjectIsArchived)

    def test_nothing_is_attached_to_a_deleted_task_or_project(self, command: Command) -> None:
        for gone in (on(TASK, TaskDeleted()), on(ENG, ProjectDeleted())):
            error = ParentInTrash if command is RESTORE else NotFound
            given(*ATTACHED, gone).when(command, by=CLEO).then_refused(error)

    def test_strangers_find_nothing(self, command: Command) -> None:
        given(*ATTACHED, *STRANGERS).when(command, by=DAN).then_refused(NotFound)

    def test_an_attachment_is_found_by_its_task_only(self, command: Command) -> None:
        fields = {name: getattr(command, name) for name in command.__struct_fields__}
        elsewhere = type(command)(**fields | {"task_id": FOREIGN_TASK})
        given(*ATTACHED, *STRANGERS).when(elsewhere, by=CLEO).then_refused(NotFound)
        if not isinstance(command, AttachFile):
            beside = type(command)(**fields | {"task_id": CHILD})
            given(*ATTACHED, on(CHILD, task(2))).when(beside, by=CLEO).then_refused(NotFound)
