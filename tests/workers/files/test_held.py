"""A legal hold keeps the files of what was purged before it, until it is lifted."""

from collections.abc import AsyncIterator

from domain.identity.organization.events import PlanChanged
from domain.identity.organization.legal_hold import LegalHoldLifted, LegalHoldPlaced
from domain.identity.plan import Plan
from domain.work.attachment import AttachmentDeleted, AttachmentPurged
from files.open import open_files
from files.store import FileKey
from tests.commands.acme import ACCOUNTS, HERE, attachment
from tests.domain.spec import ACME, ANA, TASK
from tests.spec import on, record
from tests.workers.files.removing import FILES
from tests.workers.stage import Stage
from workers.consequences.purging import Purging


async def _pieces() -> AsyncIterator[bytes]:
    yield b"evidence"


async def test_a_file_that_was_purged_before_a_hold_goes_when_that_is_lifted(stage: Stage) -> None:
    system, log = stage.system, stage.system.log
    files, (removed, held, kept) = open_files(system.settings), FILES[:3]
    stored = [system.settings.data_dir / "files" / FileKey(ACME, each).path for each in FILES[:3]]
    await record(log, *ACCOUNTS, *HERE)
    await record(log, on(ACME, PlanChanged(from_=Plan.FREE, to=Plan.PREMIUM)))
    for each in (removed, held, kept):
        await files.put(FileKey(ACME, each), _pieces())
        gone = AttachmentDeleted(task_id=TASK, deleted_by=ANA)
        await record(log, on(each, attachment(size=8), gone))
    purged = AttachmentPurged(task_id=TASK)
    worker = Purging(system, files)

    await record(log, on(removed, purged))
    await worker.act()
    there = [[file.exists() for file in stored]]
    await record(log, on(held, purged), on(ACME, LegalHoldPlaced(reason="Acme v. Apex")))
    await worker.act()
    there.append([file.exists() for file in stored])
    await record(log, on(ACME, LegalHoldLifted()))
    await worker.act()
    there.append([file.exists() for file in stored])

    assert there == [[False, True, True], [False, True, True], [False, False, True]]
    await files.close()
