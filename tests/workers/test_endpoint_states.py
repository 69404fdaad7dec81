"""Pausing, resuming, deleting and giving up: nothing is lost by any of them."""

from datetime import timedelta

import pytest

from deliveries.retry import Schedule
from domain.hooks.webhook.events import (
    DeliveryMode,
    WebhookDeleted,
    WebhookPaused,
    WebhookRestored,
    WebhookResumed,
    WebhookUpdated,
)
from domain.hooks.webhook.events import PauseCause as Cause
from tests.deliveries.receiver import Receiver, Reply
from tests.workers.stage import MS, ONE, TWO, Stage, eventually, seqs

pytestmark = pytest.mark.servers

PAUSED = WebhookPaused(cause=Cause.MANUAL)


async def test_a_paused_endpoint_catches_up_when_it_is_resumed(
    stage: Stage, receiver: Receiver
) -> None:
    webhook_id = await stage.webhook(receiver.url)
    quick = await stage.webhook(receiver.url)
    async with stage.delivering():
        await stage.happen(ONE)
        await receiver.wait_for(2)
        await stage.change(webhook_id, PAUSED)
        await stage.happen(ONE, TWO)
        await eventually(lambda: stage.sent(quick), 3)
        assert len(await stage.deliveries(webhook_id)) == 1
        await stage.change(webhook_id, WebhookResumed())
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 3)


async def test_a_deleted_endpoint_gets_nothing_until_it_is_restored(
    stage: Stage, receiver: Receiver
) -> None:
    webhook_id = await stage.webhook(receiver.url)
    async with stage.delivering():
        await stage.happen(ONE)
        await receiver.wait_for(1)
        await stage.change(webhook_id, WebhookDeleted())
        await stage.happen(ONE)
        await eventually(lambda: stage.owner(webhook_id), "")
        await stage.change(webhook_id, WebhookRestored())
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 2)

    assert len(receiver.requests) == 2


async def test_an_edited_webhook_is_sent_to_its_new_url_in_its_new_mode(
    stage: Stage, receiver: Receiver
) -> None:
    async with Receiver() as elsewhere:
        webhook_id = await stage.webhook(receiver.url)
        async with stage.delivering():
            await stage.happen(ONE)
            await receiver.wait_for(1)
            moved = WebhookUpdated(url=elsewhere.url, mode=DeliveryMode.PARALLEL)
            await stage.change(webhook_id, moved)
            await stage.happen(ONE)
            await elsewhere.wait_for(1)


async def test_a_receiver_that_is_gone_disables_its_webhook_and_loses_nothing(
    stage: Stage, receiver: Receiver
) -> None:
    receiver.answer_with(Reply(status=410), Reply())
    webhook_id = await stage.webhook(receiver.url)
    async with stage.delivering():
        await stage.happen(ONE, ONE)
        await eventually(lambda: stage.paused(webhook_id), Cause.GONE)
        assert seqs(receiver.requests) == [2]
        await stage.change(webhook_id, WebhookResumed())
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 2)

    assert seqs(receiver.requests) == [2, 2, 3]


async def test_five_days_of_nothing_but_failure_disable_a_webhook(
    stage: Stage, receiver: Receiver
) -> None:
    receiver.answer_with(Reply(status=500))
    day = timedelta(days=1)
    schedule = Schedule(pauses=(0 * MS, 2 * day, 2 * day, 2 * day), jitter=0.0)
    webhook_id = await stage.webhook(receiver.url)
    await stage.happen(ONE)
    async with stage.delivering(schedule):
        await eventually(lambda: stage.fails(webhook_id), 1)
        for days, fails in ((2.1, 2), (4.2, 3)):
            stage.clock.ahead = days * day
            await eventually(lambda: stage.fails(webhook_id), fails)
        assert await stage.paused(webhook_id) is None
        stage.clock.ahead = 6.3 * day
        await eventually(lambda: stage.paused(webhook_id), Cause.FAILING)


async def test_a_receiver_that_asks_for_a_pause_is_left_alone_for_that_long(
    stage: Stage, receiver: Receiver
) -> None:
    receiver.answer_with(Reply(status=429, headers={"Retry-After": "3600"}), Reply())
    webhook_id = await stage.webhook(receiver.url)
    asked_at = stage.clock()
    async with stage.delivering():
        await stage.happen(ONE, TWO)
        await eventually(lambda: stage.states(webhook_id), ["RETRYING", "PENDING"])
        waiting, _ = await stage.deliveries(webhook_id)
        assert waiting.next_at - asked_at >= timedelta(hours=1)
        assert len(receiver.requests) == 1
        stage.clock.ahead = timedelta(hours=1, seconds=5)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 2)
