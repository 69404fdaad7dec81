"""What goes wrong with one webhook leaves all the others alone."""

import asyncio
from datetime import datetime, timedelta
from functools import partial

import pytest

from deliveries.retry import Schedule
from domain.hooks.webhook.events import DeliveryMode
from eventstore.operations.records import NoticeKind
from tests.deliveries.receiver import Receiver, Reply
from tests.domain.spec import OTHER
from tests.spec import on, record
from tests.workers.stage import ONE, TWO, Stage, eventually, garble, retitled, seqs

pytestmark = pytest.mark.servers


async def test_of_twelve_endpoints_one_whose_receiver_hangs_holds_up_no_other(
    stage: Stage, receiver: Receiver
) -> None:
    async with Receiver() as hanging:
        hanging.answer_with(Reply(delay_s=60))
        stuck = await stage.webhook(hanging.url)
        others = [await stage.webhook(receiver.url) for _ in range(11)]
        async with stage.delivering(grace_s=0):
            await stage.happen(*[ONE, TWO] * 15)
            for webhook_id in others:
                await eventually(partial(stage.sent, webhook_id), 30)
            assert await stage.sent(stuck) == 0
            hanging.answer_with(Reply())
        async with stage.delivering():
            await eventually(lambda: stage.sent(stuck), 30)

    assert sorted(set(seqs(hanging.requests))) == sorted(set(seqs(receiver.requests)))


@pytest.mark.parametrize("state", [b"no JSON at all", b"{}", b'{"metadata":{},"event":{"url":7}}'])
async def test_an_unreadable_event_of_a_webhook_parks_that_webhook_alone(
    stage: Stage, receiver: Receiver, state: bytes
) -> None:
    healthy = await stage.webhook(receiver.url)
    async with Receiver() as elsewhere, stage.delivering():
        parked = await stage.webhook(elsewhere.url)
        await stage.happen(ONE)
        await elsewhere.wait_for(1)
        await garble(stage.system, parked, 2, "webhook.updated", state)
        await stage.happen(TWO)
        await eventually(lambda: stage.sent(healthy), 2)
        await eventually(lambda: stage.owner(parked), "")
        (notice,) = await stage.system.operations.notices(None, 10)
        assert len(elsewhere.requests) == 1

    assert (notice.kind, notice.endpoint) == (NoticeKind.PARKED, str(parked))
    async with stage.delivering():  # another worker finds the same, and sends the others
        await stage.happen(ONE)
        await eventually(lambda: stage.sent(healthy), 3)
        assert await stage.system.operations.notices(str(parked), 10) == [notice]


async def test_a_notice_disappears_when_the_webhook_can_be_read_again(
    stage: Stage, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook_id = await stage.webhook(receiver.url)
    await stage.happen(ONE)
    with monkeypatch.context() as an_older_version:
        an_older_version.setattr("deliveries.subscriptions.Webhook.evolve", None)
        async with stage.delivering():
            await eventually(lambda: notices(stage), 1)
    async with stage.delivering():
        await eventually(lambda: stage.sent(webhook_id), 1)

    assert await notices(stage) == 0


async def test_an_unreadable_event_that_was_asked_for_fails_alone_and_shows_as_a_gap(
    stage: Stage, receiver: Receiver
) -> None:
    webhook_id = await stage.webhook(receiver.url)
    await stage.happen(ONE)
    await garble(stage.system, TWO, 1, "task.retitled", b"no JSON at all")
    await stage.happen(ONE)
    async with stage.delivering():
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS", "FAILED", "SUCCESS"])

    bodies = [stage.verified(webhook_id, each) for each in receiver.requests]
    assert [(each["seq"], each["prevSeq"]) for each in bodies] == [(2, 0), (4, 3)]
    failed = (await stage.deliveries(webhook_id))[1]
    assert failed.last_error == "the event cannot be read"


async def test_a_worker_starts_although_the_newest_event_cannot_be_read(
    stage: Stage, receiver: Receiver
) -> None:
    webhook_id = await stage.webhook(receiver.url)
    await stage.happen(ONE)
    await garble(stage.system, TWO, 1, "task.retitled", b"no JSON at all")
    async with stage.delivering():
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS", "FAILED"])
        await stage.happen(ONE)
        await eventually(lambda: stage.sent(webhook_id), 2)


async def test_a_parallel_webhook_continues_soon_after_its_receiver_restarts(
    stage: Stage, receiver: Receiver
) -> None:
    restart = asyncio.Event()
    receiver.answer_with(Reply(after=restart, hang_up=True))
    webhook_id = await stage.webhook(receiver.url, mode=DeliveryMode.PARALLEL)
    await stage.happen(*[ONE] * 16)
    async with stage.delivering(Schedule()):
        await receiver.wait_for(16)  # all of them are in progress when the first one fails
        receiver.answer_with(Reply())
        restart.set()
        await eventually(lambda: stage.states(webhook_id), ["RETRYING"] * 16)
        assert await stage.fails(webhook_id) == 1
        stage.clock.ahead = timedelta(seconds=8)
        await eventually(lambda: stage.sent(webhook_id), 16)

    assert len(receiver.requests) == 32


@pytest.mark.parametrize(
    "asked", ["Mon, 01 Jan 0001 00:00:00 +2359", "Mon, 01 Jan 2026 00:00:00 +9999999", "\u0663"]
)
async def test_an_absurd_wish_for_a_pause_is_ignored_and_the_attempt_recorded(
    stage: Stage, receiver: Receiver, asked: str
) -> None:
    receiver.answer_with(Reply(status=503, headers={"Retry-After": asked}), Reply())
    webhook_id = await stage.webhook(receiver.url)
    await stage.happen(ONE)
    async with stage.delivering():
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"])

    assert [each.status for each in await stage.attempts(webhook_id, 2)] == [503, 200]


async def test_whatever_judging_an_answer_raises_the_attempt_is_recorded(
    stage: Stage, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def retry_after(value: str, now: datetime) -> None:
        raise ZeroDivisionError(value)

    monkeypatch.setattr("deliveries.retry.retry_after", retry_after)
    receiver.answer_with(Reply(status=429), Reply())
    webhook_id = await stage.webhook(receiver.url)
    await stage.happen(ONE)
    async with stage.delivering():
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"])

    assert [each.status for each in await stage.attempts(webhook_id, 2)] == [429, 200]


async def test_organizations_do_not_hear_of_each_other(stage: Stage, receiver: Receiver) -> None:
    webhook_id = await stage.webhook(receiver.url)
    async with stage.delivering():
        await record(stage.system.log, on(TWO, retitled(), org_id=OTHER))
        await stage.happen(ONE)
        await eventually(lambda: stage.sent(webhook_id), 1)

    assert seqs(receiver.requests) == [2]


async def notices(stage: Stage) -> int:
    return len(await stage.system.operations.notices(None, 10))
