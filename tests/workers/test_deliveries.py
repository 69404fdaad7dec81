"""Events reach the customers' endpoints: signed, complete, in order, with one id for all tries."""

import pytest

from tests.workers.receiver import Receiver, Reply
from tests.workers.stage import ONE, THREE, TWO, Stage, eventually, seqs

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
    assert (body["seq"], body["prevSeq"]) == (2, 0)
    assert body["stream"] == {"type": "task", "id": str(ONE), "version": 1}
    (attempt,) = await stage.attempts(webhook_id, 2)
    assert (attempt.status, attempt.ip, attempt.excerpt) == (200, "127.0.0.1", "ok")


async def test_a_receiver_that_was_down_gets_everything_in_order(
    stage: Stage, receiver: Receiver
) -> None:
    receiver.answer_with(Reply(status=500), Reply(status=502), Reply(hang_up=True), Reply())
    webhook_id = await stage.webhook(receiver.url)
    await stage.happen(ONE, ONE, ONE)
    async with stage.delivering():
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 3)

    assert seqs(receiver.requests) == [2, 2, 2, 2, 3, 4]
    assert len({each.headers["webhook-id"] for each in receiver.requests}) == 3
    tries = await stage.attempts(webhook_id, 2)
    assert [each.status or each.kind for each in tries] == [500, 502, "protocol", 200]


async def test_a_delivery_that_fails_holds_back_its_own_stream_only(
    stage: Stage, receiver: Receiver
) -> None:
    fails = 3

    def script(request: object) -> Reply:
        nonlocal fails
        if seqs([request])[0] == 2 and fails:  # type: ignore[list-item]
            fails -= 1
            return Reply(status=500)
        return Reply()

    receiver.answer_by(script)
    webhook_id = await stage.webhook(receiver.url)
    await stage.happen(ONE, ONE, TWO, THREE, TWO)
    async with stage.delivering():
        await eventually(lambda: stage.states(webhook_id), ["SUCCESS"] * 5)

    came = seqs(receiver.requests)
    assert came[:4] == [2, 4, 5, 6]
    assert [seq for seq in came if seq in (2, 3)] == [2, 2, 2, 2, 3]
