"""An operational file that is older, newer or gone, or a log that was set back: nothing is lost."""

import contextlib
import json
import shutil
from pathlib import Path
from uuid import UUID

import pytest

from domain.audit import LogRestored, audit_trail
from eventstore.engine.sqlite.driver import connect
from eventstore.operations.records import NoticeKind
from runtime.settings import Settings
from tests.commands.acme import TEAM
from tests.deliveries.receiver import Receiver
from tests.domain.spec import ACME
from tests.mail.post_office import post_office
from tests.spec import on, record
from tests.workers.inviting import invite, sending
from tests.workers.stage import ONE, TWO, Stage, eventually, garble, opened_stage, seqs
from workers.mailing import Mailing

pytestmark = pytest.mark.servers

COMPANIONS = ("", "-wal", "-shm")


def remove(file: Path) -> None:
    for companion in COMPANIONS:
        Path(f"{file}{companion}").unlink(missing_ok=True)


def put_back(backup: Path, file: Path) -> None:
    """Restore *file* as an operator does, companions included."""
    remove(file)
    shutil.copy(backup, file.with_suffix(".new"))
    file.with_suffix(".new").replace(file)


def snapshot(file: Path, to: Path) -> None:
    """Copy a file that is in use, with what its write-ahead log holds."""
    with contextlib.closing(connect(file)) as connection:
        connection.execute("VACUUM INTO ?", (str(to),))


def ids_by_seq(receiver: Receiver) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for seq, request in zip(seqs(receiver.requests), receiver.requests, strict=True):
        found.setdefault(seq, set()).add(request.headers["webhook-id"])
    return found


@pytest.fixture
def operations(settings: Settings) -> Path:
    return settings.data_dir / "operations.db"


@pytest.fixture
def events(settings: Settings) -> Path:
    return settings.data_dir / "events.db"


async def test_a_deleted_file_costs_repeats_under_the_same_ids(
    settings: Settings, operations: Path, receiver: Receiver
) -> None:
    async with opened_stage(settings) as stage:
        webhook_id = await stage.webhook(receiver.url)
        async with stage.delivering():
            await stage.happen(ONE, TWO, ONE)
            await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 3)
    remove(operations)
    async with opened_stage(settings) as stage:
        await stage.happen(TWO)
        async with stage.delivering():
            await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 4)

    assert sorted(seqs(receiver.requests)) == [2, 2, 3, 3, 4, 4, 5]
    assert all(len(ids) == 1 for ids in ids_by_seq(receiver).values())


async def test_a_file_deleted_under_a_running_worker_costs_repeats_only(
    stage: Stage, operations: Path, receiver: Receiver
) -> None:
    webhook_id = await stage.webhook(receiver.url)
    async with stage.delivering():
        await stage.happen(ONE)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"])
        remove(operations)
        await stage.happen(TWO)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 2)

    assert {2, 3} == set(seqs(receiver.requests))
    assert all(len(ids) == 1 for ids in ids_by_seq(receiver).values())


async def test_an_older_file_causes_only_repeats_of_later_deliveries(
    settings: Settings, operations: Path, tmp_path: Path, receiver: Receiver
) -> None:
    backup = tmp_path / "backup.db"
    async with opened_stage(settings) as stage:
        webhook_id = await stage.webhook(receiver.url)
        async with stage.delivering():
            await stage.happen(ONE)
            await eventually(lambda: stage.states(webhook_id), ["SUCCESS"])
    shutil.copy(operations, backup)
    async with opened_stage(settings) as stage, stage.delivering():
        await stage.happen(ONE, TWO)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 3)
    put_back(backup, operations)
    async with opened_stage(settings) as stage, stage.delivering():
        await stage.happen(ONE)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 4)

    assert sorted(seqs(receiver.requests)) == [2, 3, 3, 4, 4, 5]
    assert all(len(ids) == 1 for ids in ids_by_seq(receiver).values())


async def test_a_file_set_back_under_a_running_worker_loses_nothing_that_was_open(
    stage: Stage, settings: Settings, operations: Path, tmp_path: Path, receiver: Receiver
) -> None:
    backup = tmp_path / "backup.db"
    webhook_id = await stage.webhook(receiver.url)
    async with stage.delivering():
        await eventually(lambda: stage.is_owned(webhook_id))
        snapshot(operations, backup)
        await stage.happen(ONE, TWO)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 2)
        put_back(backup, operations)
        await stage.happen(ONE)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 3)

    assert set(seqs(receiver.requests)) == {2, 3, 4}
    assert all(len(ids) == 1 for ids in ids_by_seq(receiver).values())


async def test_after_a_restore_events_not_in_both_logs_are_sent_again_with_a_notice(
    settings: Settings, events: Path, tmp_path: Path, receiver: Receiver
) -> None:
    backup = tmp_path / "events.backup.db"
    async with opened_stage(settings) as stage:
        webhook_id = await stage.webhook(receiver.url)
        async with stage.delivering():
            await stage.happen(ONE, TWO)
            await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 2)
    shutil.copy(events, backup)
    async with opened_stage(settings) as stage, stage.delivering():
        await stage.happen(ONE, TWO, ONE)  # acknowledged, delivered, and lost with the disk
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 5)
    put_back(backup, events)
    before = len(receiver.requests)
    async with opened_stage(settings) as stage:
        await stage.happen(TWO, TWO)  # other events at the sequences 4 and 5
        async with stage.delivering():
            await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 4)
        notices = await stage.system.operations.notices(str(webhook_id), 10)
        attempts = await stage.attempts(webhook_id, 4)

    again = receiver.requests[before:]
    assert seqs(again) == [4, 5]
    bodies = [json.loads(each.body) for each in again]
    assert [each["prevSeq"] for each in bodies] == [3, 4]
    assert {each["stream"]["id"] for each in bodies} == {str(TWO)}
    assert len(attempts) == 1  # none of the event that stood there before
    (notice,) = notices
    assert (notice.kind, notice.first, notice.last) == (NoticeKind.SENT_AGAIN, 4, 6)


async def test_a_cursor_at_an_event_that_cannot_be_read_goes_back_as_well(
    settings: Settings, events: Path, tmp_path: Path, receiver: Receiver
) -> None:
    backup = tmp_path / "events.backup.db"
    async with opened_stage(settings) as stage:
        webhook_id = await stage.webhook(receiver.url, events=("project.*", "task.*"))
    shutil.copy(events, backup)
    async with opened_stage(settings) as stage:
        await garble(stage.system, TWO, 1, "user.logged_in", b"no JSON at all")
        async with stage.delivering():
            await eventually(lambda: cursor(stage, webhook_id), 2)
    put_back(backup, events)
    async with opened_stage(settings) as stage:
        await stage.happen(ONE)  # another event at the sequence 2
        async with stage.delivering():
            await eventually(lambda: stage.states(webhook_id), ["SUCCESS"])

    assert seqs(receiver.requests) == [2]


async def cursor(stage: Stage, webhook_id: UUID) -> int:
    """Return the last sequence that a worker examined for a webhook."""
    return (await stage.endpoint(webhook_id)).fan


async def test_mails_are_sent_if_the_cursor_stood_at_an_event_that_cannot_be_read(
    settings: Settings, events: Path, tmp_path: Path
) -> None:
    backup = tmp_path / "events.backup.db"
    async with post_office() as office:
        settings = sending(settings, office)
        async with opened_stage(settings) as stage:
            await record(stage.system.log, TEAM)
        shutil.copy(events, backup)
        async with opened_stage(settings) as stage:
            await stage.happen(ONE, ONE)
            await garble(stage.system, TWO, 1, "task.retitled", b"no JSON at all")
            await Mailing(stage.system).send_due()
        put_back(backup, events)
        async with opened_stage(settings) as stage:
            await invite(stage.system, first=False)
            await Mailing(stage.system).send_due()

        assert len(office.messages) == 1


async def test_the_cursor_goes_back_over_many_deliveries_to_the_last_common_one(
    settings: Settings, events: Path, tmp_path: Path, receiver: Receiver
) -> None:
    backup = tmp_path / "events.backup.db"
    async with opened_stage(settings) as stage:
        webhook_id = await stage.webhook(receiver.url)
        await stage.happen(*[ONE] * 137)
    shutil.copy(events, backup)
    async with opened_stage(settings) as stage, stage.delivering():
        await stage.happen(*[ONE] * 350)
        await eventually(lambda: stage.sent(webhook_id), 487)
    put_back(backup, events)
    before = len(receiver.requests)
    async with opened_stage(settings) as stage:
        await stage.happen(TWO)
        async with stage.delivering():
            await eventually(lambda: stage.sent(webhook_id), 138)

    assert seqs(receiver.requests[before:]) == [139]


async def test_a_log_that_was_replaced_by_another_one_is_sent_from_its_beginning(
    settings: Settings, events: Path, receiver: Receiver
) -> None:
    async with opened_stage(settings) as stage:
        first = await stage.webhook(receiver.url)
        async with stage.delivering():
            await stage.happen(ONE, ONE)
            await eventually(lambda: stage.states(first), ["SUCCESS"] * 2)
    remove(events)
    async with opened_stage(settings) as stage:
        second = await stage.webhook(receiver.url)
        await stage.happen(TWO)
        async with stage.delivering():
            await eventually(lambda: stage.states(second), ["SUCCESS"])


async def test_every_receiver_gets_the_event_of_a_restore_with_its_epoch(
    stage: Stage, receiver: Receiver
) -> None:
    webhook_id = await stage.webhook(receiver.url, events=("project.*",))
    async with stage.delivering():
        await stage.happen(ONE)
        stage.system.log.store.raise_epoch(2)
        told = LogRestored(epoch=2, kept=2, lost_size=5, lost_root="root")
        await record(stage.system.log, on(audit_trail(ACME), told))
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"])

    [request] = receiver.requests
    body = stage.verified(webhook_id, request)
    assert (body["type"], body["seq"], body["epoch"]) == ("log.restored", 3, 2)
    assert body["data"] == {"epoch": 2, "kept": 2, "lostSize": 5, "lostRoot": "root"}
