"""Events reach the customers' endpoints: signed, complete, in order, with one id for all tries."""

from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

from deliveries.retry import Schedule
from domain.hooks.webhook.events import DeliveryMode, WebhookSecretRotated, WebhookUpdated
from tests.deliveries.receiver import Received, Receiver, Reply
from tests.domain.spec import OTHER
from tests.spec import on, record
from tests.workers.stage import MS, ONE, THREE, TWO, Stage, eventually, retitled, seqs

pytestmark = pytest.mark.servers


async def test_an_event_arrives_signed_and_is_written_down(
    stage: Stage, receiver: Receiver
) -> None:
    webhook_id = await stage.webhook(receiver.url)
    async with stage.delivering():
        await stage.happen(ONE)
        (request,) = await receiver.wait_for(1)
        body = stage.verified(webhook_id, request)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"])

    assert body["type"] == "task.retitled"
    assert body["data"] == {"from": "a", "to": "b"}
    assert (body["seq"], body["prevSeq"], body["version"]) == (2, 0, 1)
    assert body["stream"] == {"type": "task", "id": str(ONE), "version": 1}
    assert body["actor"]["type"] == "system"
    (attempt,) = await stage.attempts(webhook_id, 2)
    assert (attempt.status, attempt.ip, attempt.excerpt) == (200, "127.0.0.1", "ok")
    assert attempt.request_headers["webhook-id"] == body["id"]


async def test_a_receiver_that_was_down_gets_everything_in_order(
    stage: Stage, receiver: Receiver
) -> None:
    receiver.answer_with(Reply(status=500), Reply(status=302), Reply(hang_up=True), Reply())
    webhook_id = await stage.webhook(receiver.url)
    await stage.happen(ONE, ONE, ONE)
    async with stage.delivering():
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 3)

    assert seqs(receiver.requests) == [2, 2, 2, 2, 3, 4]
    assert len({each.headers["webhook-id"] for each in receiver.requests}) == 3
    tries = await stage.attempts(webhook_id, 2)
    assert [each.status or each.kind for each in tries] == [500, 302, "protocol", 200]


async def test_a_delivery_passes_through_its_states_and_may_end_as_failed(
    stage: Stage, receiver: Receiver
) -> None:
    receiver.answer_with(Reply(status=500))
    hour = timedelta(hours=1)
    schedule = Schedule(pauses=(0 * MS, hour), jitter=0.0)
    webhook_id = await stage.webhook(receiver.url)
    await stage.happen(ONE, ONE)
    async with stage.delivering(schedule):
        await eventually(lambda: stage.states(webhook_id), ["RETRYING", "PENDING"])
        stage.clock.ahead = 1.1 * hour
        await eventually(lambda: stage.states(webhook_id), ["FAILED", "RETRYING"])
        receiver.answer_with(Reply())
        stage.clock.ahead = 2.2 * hour
        await eventually(lambda: stage.states(webhook_id), ["FAILED", "SUCCESS"])


async def test_a_delivery_that_fails_holds_back_its_own_stream_only(
    stage: Stage, receiver: Receiver
) -> None:
    failures = [Reply(status=500)] * 3

    def script(request: Received) -> Reply:
        return failures.pop() if seqs([request]) == [2] and failures else Reply()

    receiver.answer_by(script)
    hour = timedelta(hours=1)
    webhook_id = await stage.webhook(receiver.url)
    await stage.happen(ONE, ONE, TWO, THREE, TWO)
    async with stage.delivering(Schedule(pauses=(0 * MS, *[hour] * 9), jitter=0.0)):
        held_back = ["RETRYING", "PENDING", *["SUCCESS"] * 3]
        await eventually(lambda: stage.states(webhook_id), held_back)
        for tries in (2, 3, 4):
            stage.clock.ahead += 1.1 * hour
            await eventually(partial(tried, stage, webhook_id, 2), tries)
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 5)

    assert seqs(receiver.requests) == [2, 4, 5, 6, 2, 2, 2, 3]


async def tried(stage: Stage, webhook_id: UUID, seq: int) -> int:
    """Return how often one delivery was attempted."""
    return len(await stage.attempts(webhook_id, seq))


async def test_every_event_names_the_one_before_it_that_was_asked_for(
    stage: Stage, receiver: Receiver
) -> None:
    webhook_id = await stage.webhook(receiver.url)
    await stage.happen(ONE, TWO)
    await stage.change(webhook_id, WebhookUpdated(description="not asked for"))
    await stage.happen(*[ONE] * 250)
    async with stage.delivering():
        requests = await receiver.wait_for(252)

    bodies = [stage.verified(webhook_id, each) for each in requests]
    assert [each["prevSeq"] for each in bodies] == [0, *(each["seq"] for each in bodies[:-1])]
    assert [bodies[2]["seq"], bodies[2]["prevSeq"]] == [5, 3]


async def test_a_webhook_starts_at_its_sequence_and_gets_its_organization_only(
    stage: Stage, receiver: Receiver
) -> None:
    await stage.happen(ONE, TWO)
    from_the_start = await stage.webhook(receiver.url, events=("*",))
    from_now = await stage.webhook(receiver.url, from_seq=4)
    await record(stage.system.log, on(THREE, retitled(), org_id=OTHER))
    await stage.happen(ONE)
    async with stage.delivering():
        await eventually(lambda: stage.states(from_the_start), ["SUCCESS"] * 5)
        await eventually(lambda: stage.states(from_now), ["SUCCESS"])

    assert sorted(seqs(receiver.requests)) == [1, 2, 3, 4, 5, 5]


async def test_in_parallel_mode_many_are_under_way_at_once(
    stage: Stage, receiver: Receiver
) -> None:
    receiver.answer_with(Reply(delay_s=60))
    await stage.webhook(receiver.url, mode=DeliveryMode.PARALLEL)
    await stage.happen(*[ONE] * 40)
    async with stage.delivering(grace_s=0):
        await receiver.wait_for(16)

    assert receiver.connections == 16


async def test_a_slow_endpoint_does_not_slow_others_down(stage: Stage, receiver: Receiver) -> None:
    async with Receiver() as slow:
        slow.answer_with(Reply(delay_s=60))
        await stage.webhook(slow.url)
        quick = await stage.webhook(receiver.url)
        async with stage.delivering(grace_s=0):
            await stage.happen(*[ONE] * 20)
            await eventually(lambda: stage.sent(quick), 20)


async def test_both_secrets_sign_for_a_day_after_a_rotation(
    stage: Stage, receiver: Receiver
) -> None:
    webhook_id = await stage.webhook(receiver.url)
    await stage.new_secret(webhook_id, 2)
    until = stage.clock() + timedelta(hours=24)
    rotated = WebhookSecretRotated(secret_version=2, old_valid_until=until)
    await stage.change(webhook_id, rotated)
    async with stage.delivering():
        await stage.happen(ONE)
        (both,) = await receiver.wait_for(1)
        for secret in (0, 1):
            stage.verified(webhook_id, both, secret)
        stage.clock.ahead = timedelta(hours=25)
        await stage.happen(ONE)
        later = (await receiver.wait_for(2))[1]

    assert len(both.headers["webhook-signature"].split()) == 2
    assert len(later.headers["webhook-signature"].split()) == 1


async def test_an_address_that_is_not_public_is_refused_at_every_try(stage: Stage) -> None:
    webhook_id = await stage.webhook("https://169.254.169.254/latest/meta-data")
    schedule = Schedule(pauses=(0 * MS, 1 * MS, 1 * MS))
    await stage.happen(ONE)
    async with stage.delivering(schedule):
        await eventually(lambda: stage.states(webhook_id), ["FAILED"])

    tries = await stage.attempts(webhook_id, 2)
    assert [(each.kind, each.ip) for each in tries] == [("refused_url", None)] * 3


async def test_a_hopeless_endpoint_is_left_alone_between_probes(
    stage: Stage, receiver: Receiver
) -> None:
    receiver.answer_with(Reply(status=500))
    hour = timedelta(hours=1)
    schedule = Schedule(pauses=(0 * MS,) * 10, breaker_after=3, breaker_pause=hour)
    webhook_id = await stage.webhook(receiver.url)
    await stage.happen(ONE, TWO, THREE)
    async with stage.delivering(schedule):
        await receiver.wait_for(3)
        await eventually(lambda: stage.fails(webhook_id), 3)
        receiver.answer_with(Reply())
        stage.clock.ahead = 1.1 * hour
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 3)

    assert len(receiver.requests) == 6
