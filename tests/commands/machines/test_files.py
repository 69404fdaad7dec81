"""Any sequence of commands on files, the bytes that they take and their purge, beside the model."""

from typing import Any
from uuid import uuid4

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, invariant, rule
from msgspec import Struct

from commands.content_counts import attachments_at
from commands.identity.organization import ChangePlan, LiftLegalHold, PlaceLegalHold
from commands.plan_counts import counted_of
from commands.work.attachment import (
    AttachFile,
    DeleteAttachment,
    NoteScan,
    RestoreAttachment,
)
from commands.work.trash.purge import PurgeContents
from commands.work.trash.things import Thing
from domain.base import ERASED, AttachmentId, ProjectId, TaskId, UserId
from domain.identity.plan import PLAN_LIMITS, Countable, Plan
from domain.permission import Permission
from domain.work.attachment import ScanState
from domain.work.trash import TrashKind
from projections.work.attachment import Attachments
from projections.work.task import Tasks
from tests.commands.machines.patience import examples
from tests.commands.machines.world import NONE, PEOPLE
from tests.commands.test_machine_of_tasks import Board
from tests.domain.spec import ACME, ANA
from tests.projections.spec import shown

MB = 1_000_000
SIZES = st.sampled_from([0, MB, 10 * MB, 11 * MB])
"""The last one is more than FREE allows for one file."""
NEARLY_FULL = 995 * MB
"""Two of these leave FREE room for one large file."""
SCANNED = st.sampled_from([ScanState.CLEAN, ScanState.INFECTED])


class Kept(Struct):
    """What the model knows of a file."""

    task: TaskId
    author: UserId
    size: int
    state: ScanState
    deleted_by: UserId | None = None
    purged: bool = False

    @property
    def counts(self) -> bool:
        """Whether its bytes count."""
        return self.deleted_by is None and not self.purged


class Filing(Board):
    """The company whose tasks have files too; its plan and its legal hold change."""

    projects, tasks = Board.projects, Board.tasks
    files: Bundle[AttachmentId] = Bundle("files")

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[AttachmentId, Kept] = {}

    @property
    def used(self) -> int:
        """The bytes of all files that are not in the trash."""
        return sum(kept.size for kept in self.kept.values() if kept.counts)

    def fits(self, size: int) -> bool:
        return size == 0 or self.used + size <= PLAN_LIMITS[self.plan].storage_bytes

    # How it begins ----------------------------------------------------------

    def first(self) -> TaskId:
        """Return a task in a project, which are made at first, with files that nearly fill FREE."""
        if not self.pieces:
            project = self.create_project(by=ANA, key="FIRST")
            task = self.create_task(project=project, by=ANA)
            self.change_plan(by=ANA, plan=Plan.PREMIUM)
            for _ in range(2):
                self.attach(task=task, by=ANA, size=NEARLY_FULL, state=ScanState.CLEAN)
            self.change_plan(by=ANA, plan=Plan.FREE)
        return next(iter(self.pieces))

    @initialize(target=projects)
    def begin_with_a_project(self) -> ProjectId:
        return self.pieces[self.first()].project

    @initialize(target=tasks)
    def begin_with_a_task(self) -> TaskId:
        return self.first()

    @initialize(target=files)
    def begin_with_a_file(self) -> AttachmentId:
        self.first()
        return next(iter(self.kept))

    # Plan and hold ----------------------------------------------------------

    @rule(by=PEOPLE, plan=st.sampled_from(Plan))
    def change_plan(self, by: UserId, plan: Plan) -> None:
        command = ChangePlan(organization_id=ACME, plan=plan)
        if self.passes(command, by, self.may(by, command.needs)):
            self.plan = plan

    @rule(by=PEOPLE, places=st.booleans(), upgrades=st.booleans())
    def hold(self, by: UserId, places: bool, upgrades: bool) -> None:
        if upgrades:
            self.change_plan(by=ANA, plan=Plan.PREMIUM)
        if places:
            command: Any = PlaceLegalHold(organization_id=ACME, reason="A claim")
        else:
            command = LiftLegalHold(organization_id=ACME)
        right = self.may(by, command.needs) and (not places or self.plan is Plan.PREMIUM)
        if self.passes(command, by, right):
            self.held = places

    # Files ------------------------------------------------------------------

    def editable_at(self, task: TaskId, by: UserId) -> bool:
        """Return whether somebody may change what files *task* has."""
        project = self.pieces[task].project
        here = self.shown(task) and self.editable(project)
        return self.may(by, Permission.ATTACHMENT_ADD, project) and here

    @rule(
        target=files,
        task=tasks,
        by=PEOPLE,
        size=SIZES,
        state=st.sampled_from([ScanState.CLEAN, ScanState.PENDING]),
    )
    def attach(self, task: TaskId, by: UserId, size: int, state: ScanState) -> Any:
        attachment = AttachmentId(uuid4())
        command = AttachFile(
            attachment_id=attachment,
            task_id=task,
            name="plan.pdf",
            media_type="application/pdf",
            size=size,
            sha256="0" * 64,
            state=state,
        )
        right = self.editable_at(task, by) and size <= PLAN_LIMITS[self.plan].file_bytes
        if not self.passes(command, by, right and self.fits(size)):
            return NONE
        self.kept[attachment] = Kept(task, by, size, state)
        return attachment

    @rule(file=files, state=SCANNED)
    def scan(self, file: AttachmentId, state: ScanState) -> None:
        kept = self.kept[file]
        waits = kept.state is ScanState.PENDING and not kept.purged
        if self.passes(NoteScan(attachment_id=file, state=state), ANA, right=True) and waits:
            kept.state = state

    @rule(file=files, by=PEOPLE, repeats=st.sampled_from([False, False, True]))
    def delete_or_restore_file(self, file: AttachmentId, by: UserId, repeats: bool) -> None:
        kept = self.kept[file]
        gone = kept.deleted_by is not None
        back = gone is not repeats
        own = by == ((kept.deleted_by if back else None) or kept.author)
        right = self.editable_at(kept.task, by) and not kept.purged
        right = right and (own or self.may(by, Permission.ATTACHMENT_DELETE))
        right = right and (not gone or (back and self.fits(kept.size)))
        kind = RestoreAttachment if back else DeleteAttachment
        if self.passes(kind(task_id=kept.task, attachment_id=file), by, right):
            kept.deleted_by = None if back else by

    # What is purged ---------------------------------------------------------

    @rule(file=files, by=PEOPLE)
    def purge_file(self, file: AttachmentId, by: UserId) -> None:
        if self.purges(Thing(TrashKind.ATTACHMENT, file), by):
            self.kept[file].purged = True

    @rule(task=tasks)
    def purge_files_of_task(self, task: TaskId) -> None:
        things = tuple(Thing(TrashKind.ATTACHMENT, each) for each in self.kept)
        command = PurgeContents(within=Thing(TrashKind.TASK, task), things=things)
        if self.passes(command, ANA, task in self.purged and not self.held):
            for file, kept in self.kept.items():
                if kept.task == task:
                    kept.purged = True
                    self.purged.add(file)

    def is_trashed(self, thing: Thing) -> bool:
        kept = self.kept.get(AttachmentId(thing.id))
        return super().is_trashed(thing) if kept is None else kept.deleted_by is not None

    # What must hold ---------------------------------------------------------

    @invariant()
    def the_bytes_and_the_files_are_counted(self) -> None:
        keys = {counted_of(ACME, Countable.STORAGE_BYTES): self.used}
        for task in self.pieces:
            here = sum(kept.task == task and kept.counts for kept in self.kept.values())
            keys[attachments_at(ACME, task)] = here
        assert self.run(self.log.counted(*keys)) == list(keys.values())

    @invariant()
    def replaying_the_log_gives_the_files(self) -> None:
        for file, kept in self.kept.items():
            found = self.replayed(file)
            told = (found.task_id, found.created_by, found.size, found.state, found.deleted_by)
            assert told == (kept.task, kept.author, kept.size, kept.state, kept.deleted_by)
            assert (found.purged, found.deleted) == (kept.purged, not kept.counts)

    async def check_the_end(self) -> None:
        await super().check_the_end()
        events = await self.log.tail(0, 10_000)
        documents = shown(Attachments(), *(e for e in events if e.tag in Attachments.tags))
        assert len(documents) == len(self.kept)
        for file, kept in self.kept.items():
            document = documents[f"{ACME}:{file}"]
            view = msgspec.json.decode(document.json)
            told = (view["taskId"], view["size"], view["state"], view["name"])
            name = ERASED if kept.purged else "plan.pdf"
            assert told == (str(kept.task), kept.size, kept.state, name)
            assert document.deleted is not kept.counts
        listed = shown(Tasks(), *(e for e in events if e.tag in Tasks.tags))
        for task in set(self.pieces) - self.purged:
            here = sum(kept.task == task and kept.counts for kept in self.kept.values())
            assert msgspec.json.decode(listed[f"{ACME}:{task}"].json)["attachments"] == here


Filing.TestCase.settings = settings(max_examples=examples(20), stateful_step_count=40)
TestFiling = Filing.TestCase
