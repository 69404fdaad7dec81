"""Replay, redelivery and ping: what is sent again keeps its id."""

import pytest

from deliveries.ping import new_ping
from deliveries.retry import Schedule
from domain.hooks.webhook.events import PauseCause as Cause
from domain.hooks.webhook.events import WebhookPaused, WebhookReplayRequested, WebhookUpdated
from tests.deliveries.receiver import Receiver, Reply
from tests.domain.spec import ACME
from tests.workers.stage import MS, ONE, TWO, Stage, eventually, seqs

pytestmark = pytest.mark.servers


async def test_a_replay_sends_a_range_once_more_under_the_same_ids(
    stage: Stage, receiver: Receiver
) -> None:
    webhook_id = await stage.webhook(receiver.url)
    async with stage.delivering():
        await stage.happen(ONE, TWO, ONE, TWO)
        await receiver.wait_for(4)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 4)
        await stage.change(webhook_id, WebhookReplayRequested(from_seq=3, to_seq=4))
        requests = await receiver.wait_for(6)
        await eventually(stage.open, 0)

    assert seqs(requests) == [2, 3, 4, 5, 3, 4]
    ids = [each.headers["webhook-id"] for each in requests]
    assert ids[4:] == ids[1:3]
    bodies = [stage.verified(webhook_id, each) for each in requests]
    assert bodies[4:] == bodies[1:3]
    assert [each.n for each in await stage.attempts(webhook_id, 3)] == [1, 2]


async def test_a_replay_goes_back_before_the_beginning_and_is_done_once(
    stage: Stage, receiver: Receiver
) -> None:
    await stage.happen(*[ONE] * 300)
    webhook_id = await stage.webhook(receiver.url, from_seq=301)
    await stage.change(webhook_id, WebhookReplayRequested(from_seq=1, to_seq=10_000))
    async with stage.delivering():
        requests = await receiver.wait_for(300)
        await eventually(lambda: stage.sent(webhook_id), 300)
    async with stage.delivering():
        await stage.happen(ONE)
        last = (await receiver.wait_for(301))[-1]

    bodies = [stage.verified(webhook_id, each) for each in requests]
    assert [each["prevSeq"] for each in bodies] == list(range(300))
    assert [each.attempts for each in await stage.deliveries(webhook_id)] == [1] * 301
    assert seqs([last]) == [303]


async def test_a_replay_sends_what_the_webhook_asks_for_now(
    stage: Stage, receiver: Receiver
) -> None:
    webhook_id = await stage.webhook(receiver.url, events=("project.*",))
    await stage.happen(ONE)
    await stage.change(webhook_id, WebhookUpdated(events=("task.*",)))
    async with stage.delivering():
        await stage.change(webhook_id, WebhookReplayRequested(from_seq=1, to_seq=2))
        (request,) = await receiver.wait_for(1)

    assert seqs([request]) == [2]


async def test_a_failed_delivery_can_be_sent_again(stage: Stage, receiver: Receiver) -> None:
    receiver.answer_with(Reply(status=500), Reply())
    webhook_id = await stage.webhook(receiver.url)
    async with stage.delivering(Schedule(pauses=(0 * MS,))):
        await stage.happen(ONE)
        await eventually(lambda: stage.states(webhook_id), ["FAILED"])
        (failed,) = await stage.deliveries(webhook_id)
        assert await stage.put_back(failed)
        stage.system.wakeups.committed(1)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"])

    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


async def test_only_an_ended_delivery_can_be_sent_again(stage: Stage, receiver: Receiver) -> None:
    receiver.answer_with(Reply(status=500))
    webhook_id = await stage.webhook(receiver.url)
    async with stage.delivering(Schedule()):
        await stage.happen(ONE)
        await eventually(lambda: stage.states(webhook_id), ["RETRYING"])
        (waiting,) = await stage.deliveries(webhook_id)

    assert not await stage.put_back(waiting)


async def test_a_ping_reaches_a_paused_webhook_and_is_never_repeated(
    stage: Stage, receiver: Receiver
) -> None:
    receiver.answer_with(Reply(status=500))
    webhook_id = await stage.webhook(receiver.url)
    await stage.change(webhook_id, WebhookPaused(cause=Cause.MANUAL))
    operations = stage.system.operations
    async with stage.delivering():
        ping = new_ping(webhook_id, ACME, stage.clock())
        await operations.add(ping)
        stage.system.wakeups.committed(1)
        (request,) = await receiver.wait_for(1)
        await eventually(stage.open, 0)

    body = stage.verified(webhook_id, request)
    assert (body["type"], body["data"]) == ("webhook.ping", {"webhookId": str(webhook_id)})
    found = await operations.delivery(str(webhook_id), ping.id)
    assert found is not None
    assert (found.status, found.tries, found.last_status) == ("FAILED", 1, 500)
    assert await stage.fails(webhook_id) == 0


async def test_old_ended_deliveries_are_pruned_and_open_ones_kept(
    stage: Stage, receiver: Receiver
) -> None:
    receiver.answer_with(Reply(), Reply(status=500))
    webhook_id = await stage.webhook(receiver.url)
    async with stage.delivering(Schedule()):
        await stage.happen(ONE, TWO)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS", "RETRYING"])

    assert await stage.system.operations.prune(stage.clock(), 100) == 3
    assert await stage.states(webhook_id) == ["RETRYING"]
