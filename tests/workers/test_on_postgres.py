"""The same worker on PostgreSQL: log and operational state in one database."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from cli.migrate import migrate
from runtime.settings import Settings
from tests.deliveries.receiver import Receiver, Reply
from tests.eventstore.conftest import postgres_server, postgres_url
from tests.workers.stage import ONE, TWO, Stage, eventually, opened_stage, seqs, settings_in
from tests.workers.test_lease import LONG_S, another_process

pytestmark = pytest.mark.servers

__all__ = ["postgres_server", "postgres_url"]  # fixtures, found by their names


@pytest.fixture
def settings(tmp_path: Path, postgres_url: str) -> Settings:
    migrate(postgres_url)
    return settings_in(tmp_path, EVENTS_URL=postgres_url)


@pytest.fixture
async def stage(settings: Settings) -> AsyncIterator[Stage]:
    async with opened_stage(settings) as stage:
        yield stage


async def test_a_receiver_that_was_down_gets_everything_in_order(
    stage: Stage, receiver: Receiver
) -> None:
    receiver.answer_with(Reply(status=500), Reply(hang_up=True), Reply(body=b"\0"))
    webhook_id = await stage.webhook(receiver.url)
    await stage.happen(ONE, ONE, ONE)
    async with stage.delivering():
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 3)

    assert seqs(receiver.requests) == [2, 2, 2, 3, 4]


async def test_two_workers_share_the_endpoints_and_send_each_event_once(
    stage: Stage, receiver: Receiver
) -> None:
    webhooks = [await stage.webhook(receiver.url) for _ in range(8)]
    async with (
        opened_stage(stage.system.settings) as other,
        stage.delivering(lease_s=LONG_S),
        other.delivering(lease_s=LONG_S),
    ):
        await stage.happen(*[ONE, TWO] * 10)
        for webhook_id in webhooks:
            await eventually(partial(stage.sent, webhook_id), 20)

    assert len(receiver.requests) == 160


async def test_a_killed_worker_is_replaced(stage: Stage, receiver: Receiver) -> None:
    webhook_id = await stage.webhook(receiver.url)
    receiver.answer_with(Reply(delay_s=60), Reply())
    async with another_process(stage.system.settings) as killed:
        await eventually(lambda: stage.is_owned(webhook_id))
        async with stage.delivering() as heir:
            await stage.happen(ONE, TWO)
            await receiver.wait_for(1)
            killed.kill()
            await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 2)
            assert await stage.owner(webhook_id) == heir.worker

    assert len({r.headers["webhook-id"] for r in receiver.requests}) == 2


async def test_a_replay_and_a_redelivery_keep_their_ids(stage: Stage, receiver: Receiver) -> None:
    webhook_id = await stage.webhook(receiver.url)
    async with stage.delivering():
        await stage.happen(ONE)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"])
        (sent,) = await stage.deliveries(webhook_id)
        assert await stage.put_back(sent)
        first, second = await receiver.wait_for(2)

    assert first.headers["webhook-id"] == second.headers["webhook-id"]
