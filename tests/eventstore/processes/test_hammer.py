"""Eight clients in two processes send any command of the work at once; no rule breaks."""

import asyncio
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands import content_counts, reservations
from commands.handler import CommandHandler
from commands.lint.walk import lint_log
from commands.work import attachment as commands_on_files
from commands.work.task import read_task
from domain.identity.organization.events import PlanChanged
from domain.identity.plan import PLAN_LIMITS, Plan
from domain.work.attachment import (
    Attachment,
    AttachmentRestored,
    AttachmentScanned,
    AttachmentUploaded,
    ScanState,
)
from domain.work.project.state import Project
from eventstore.memory import MemoryStore
from eventstore.open import open_store
from tests.commands.acme import ACCOUNTS, FILE, HERE, attachment
from tests.domain.spec import ACME
from tests.eventstore.processes.hammering import (
    CLIENTS,
    COMMANDS,
    FILE_BYTES,
    ROOM_FOR,
    hammer,
)
from tests.spec import Past, on, opened, record

PROCESSES, STORIES_MAX = 2, 10
OF_PLANS = (
    *("LogTime", "RestoreWorklog", "SetRecurrence", "RepeatTask", "CreateTemplate"),
    *("CreateFromTemplate", "ChangeTasks", "UndoChanges", "CreateCycle", "CreateField"),
)
OF_PEOPLE = (
    *("RegisterUser", "InviteMember", "EditMember", "CreateOrganization", "EditOrganization"),
    *("LogIn", "CreateApiKey", "CreateWebhook", "EraseUser", "email_taken", "subdomain_taken"),
)
OF_FILES = ("AttachFile", "DeleteAttachment", "RestoreAttachment", "NoteScan")
ROOM = ROOM_FOR * FILE_BYTES
PAYING = on(ACME, PlanChanged(from_=Plan.FREE, to=Plan.PREMIUM))
NEARLY_FULL = on(FILE, attachment(size=PLAN_LIMITS[Plan.FREE].storage_bytes - ROOM))
"""The file that leaves room for few others."""


@pytest.mark.servers
@pytest.mark.timeout(120)
async def test_lint_log_finds_nothing_after_eight_clients_hammered_the_log(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    async with opened(await asyncio.to_thread(open_store, url)) as log:
        await record(log, *ACCOUNTS, *HERE)
        await record(log, NEARLY_FULL)

    became = Counter(await hammered(url, "hammering"))

    assert became.total() > PROCESSES * CLIENTS * COMMANDS
    assert len(became) > 25
    assert min(became[each] for each in (*OF_FILES, "plan_limit")) > 0
    async with opened(await asyncio.to_thread(open_store, url)) as log:
        assert await log.last_position() > 100
        assert [str(finding) async for finding in lint_log(log)] == []


@pytest.mark.servers
@pytest.mark.timeout(120)
@pytest.mark.parametrize("partitions", [1, 8])
@pytest.mark.parametrize(
    ("how", "more", "kinds", "done", "events"),
    [
        ("hammering_plans", (PAYING,), 50, OF_PLANS, 300),
        ("hammering_people", (), 40, OF_PEOPLE, 60),
    ],
)
async def test_lint_log_finds_nothing_after_plans_or_people_were_hammered(  # noqa: PLR0913, PLR0917 - what is to happen at least
    tmp_path: Path,
    how: str,
    more: tuple[Past, ...],
    kinds: int,
    done: tuple[str, ...],
    events: int,
    partitions: int,
) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}?partitions={partitions}"
    async with opened(await asyncio.to_thread(open_store, url)) as log:
        await record(log, *ACCOUNTS, *HERE, *more)

    became = Counter(await hammered(url, how))

    assert len(became) > kinds
    assert min(became[each] for each in done) > 0
    async with opened(await asyncio.to_thread(open_store, url)) as log:
        assert (await log.organization_heads())[ACME] > events
        assert [str(finding) async for finding in lint_log(log)] == []


async def hammered(url: str, how: str) -> list[str]:
    """Let two processes hammer the log; return what became of each command."""
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", f"tests.eventstore.processes.{how}", url, str(n),
            stdout=asyncio.subprocess.PIPE,
        )
        for n in range(PROCESSES)
    ]  # fmt: skip
    try:
        outputs = [(await process.communicate())[0] for process in processes]
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert [process.returncode for process in processes] == [0] * PROCESSES
    return b"".join(outputs).decode().split()


def _without_quota(patch: pytest.MonkeyPatch) -> None:
    def limit_of(*_: object) -> None:
        return None

    patch.setattr(content_counts, "limit_of", limit_of)


def _deleting_twice(patch: pytest.MonkeyPatch) -> None:
    def refuse_unless_here(file: Any) -> Any:
        return file.task_id

    patch.setattr(Attachment, "refuse_unless_here", refuse_unless_here)


def _restoring_what_is_purged(patch: pytest.MonkeyPatch) -> None:
    def restore(file: Any) -> list[Any]:
        return [AttachmentRestored(task_id=file.task_id)] if file.deleted else []

    patch.setattr(Attachment, "restore", restore)


def _restoring_what_is_here(patch: pytest.MonkeyPatch) -> None:
    def restore(file: Any) -> list[Any]:
        return [] if file.purged else [AttachmentRestored(task_id=file.task_id)]

    patch.setattr(Attachment, "restore", restore)


def _scanning_twice(patch: pytest.MonkeyPatch) -> None:
    def scan(file: Any, state: ScanState, _: object) -> list[Any]:
        return [AttachmentScanned(task_id=file.task_id, state=state)] if file.task_id else []

    patch.setattr(Attachment, "scan", scan)


def _in_an_archived_project(patch: pytest.MonkeyPatch) -> None:
    async def editable(read: Any, task_id: Any) -> Project:
        return (await read_task(read, task_id))[1]

    patch.setattr(commands_on_files, "_editable", editable)


def _restoring_below_the_trash(patch: pytest.MonkeyPatch) -> None:
    async def anything(*_: object) -> Project:
        return Project()

    patch.setattr(commands_on_files, "refuse_unless_task_here", anything)
    patch.setattr(commands_on_files, "_editable", anything)


def _forgetting_to_count(patch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object) -> None:
        pass

    rules: dict[Any, Any] = {**reservations._RULES_OF, AttachmentUploaded: (nothing,)}  # pyright: ignore[reportPrivateUsage] - nothing public changes it
    patch.setattr(reservations, "_RULES_OF", rules)


GUARDS = {
    "storage_bytes, but only": _without_quota,
    "a deleted attachment is changed": _deleting_twice,
    "what is purged is changed": _restoring_what_is_purged,
    "something is restored that is not in the trash": _restoring_what_is_here,
    "an attachment is scanned twice": _scanning_twice,
    "an attachment in an archived project is changed": _in_an_archived_project,
    "an attachment of a task that is not here is changed": _restoring_below_the_trash,
    "the count of attachments": _forgetting_to_count,
}
"""What lint-log says of the log that commands without a guard have written."""


@pytest.mark.parametrize("what", GUARDS)
async def test_lint_log_finds_what_files_without_a_guard_have_done(what: str) -> None:
    """Not every story comes where the guard is missing."""
    for story in range(STORIES_MAX):
        if any(what in finding for finding in await _after(f"story {story}", GUARDS[what])):
            return
    pytest.fail(f"nobody finds that {what}")


async def _after(story: str, breaks: Callable[[pytest.MonkeyPatch], None]) -> list[str]:
    """Return what lint-log finds after *story*, during which a guard is missing."""
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        await record(log, NEARLY_FULL)
        with pytest.MonkeyPatch.context() as patch:
            breaks(patch)
            handler = CommandHandler(log)
            await asyncio.gather(*(hammer(handler, f"{story} {n}") for n in range(CLIENTS)))
        return [str(finding) async for finding in lint_log(log)]
