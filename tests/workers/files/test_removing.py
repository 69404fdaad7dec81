"""A worker removes purged files while others hold, restore and read: what is there is whole."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.base import AttachmentId
from domain.identity.organization.events import PlanChanged
from domain.identity.plan import Plan
from domain.work.attachment import Attachment, AttachmentDeleted
from files.open import open_files
from files.store import FileKey
from tests.commands.acme import ACCOUNTS, HERE, attachment
from tests.domain.spec import ACME, ANA, TASK
from tests.eventstore.processes.outcomes import outcomes_of
from tests.spec import folded, on, record
from tests.workers.files.removing import FILES, SIZE, contents
from tests.workers.stage import Stage
from workers.consequences.purging import Purging

pytestmark = pytest.mark.servers


async def pieces(file: AttachmentId) -> AsyncIterator[bytes]:
    yield contents(file)


@pytest.mark.timeout(120)
async def test_a_purged_file_is_removed_once_no_hold_stands_and_a_restored_one_never(
    stage: Stage, tmp_path: Path
) -> None:
    system, log = stage.system, stage.system.log
    files = open_files(system.settings)
    await record(log, *ACCOUNTS, *HERE)
    await record(log, on(ACME, PlanChanged(from_=Plan.FREE, to=Plan.PREMIUM)))
    gone = AttachmentDeleted(task_id=TASK, deleted_by=ANA)
    for each in FILES:
        await files.put(FileKey(ACME, each), pieces(each))
        await record(log, on(each, attachment(size=SIZE), gone))

    found = await outcomes_of(
        "tests.workers.files.removing", [(str(tmp_path), side) for side in ("remove", "use")]
    )
    await Purging(system, files).act()

    states = {each: await folded(log, Attachment, each, ACME) for each in FILES}
    assert min(found["whole"], found["RestoreAttachment"]) > 0
    assert found["PurgeTrashed"] + found["RestoreAttachment"] >= len(FILES)
    for each, state in states.items():
        stored = tmp_path / "files" / FileKey(ACME, each).path
        assert stored.exists() is not state.purged
        if not state.purged:
            assert not state.deleted
            assert stored.read_bytes() == contents(each)
    await files.close()
