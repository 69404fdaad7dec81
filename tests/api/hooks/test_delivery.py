"""Deliveries over HTTP, as the owners of a webhook see them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from domain.identity.organization.membership import Role
from eventstore.mode import LogMode
from runtime.system import System
from tests.api.stage import Json, Person, done, join, refused
from tests.deliveries.receiver import Receiver, Reply
from tests.workers.stage import QUICK, eventually
from workers.deliveries import Deliveries

pytestmark = pytest.mark.servers


@pytest.fixture
async def receiver(system: System) -> AsyncIterator[Receiver]:
    """Yield a receiver while a worker delivers."""
    async with Receiver() as receiver:
        running = asyncio.create_task(Deliveries(system, schedule=QUICK).run())
        yield receiver
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def hooked(ana: Person, receiver: Receiver) -> str:
    body = {"url": receiver.url, "events": ["task.created"]}
    webhook: Json = done(await ana.post("/webhook", body), 201)
    return f"/webhook/{webhook['id']}"


async def items(ana: Person, path: str, **query: object) -> list[Json]:
    found: list[Json] = done(await ana.get(f"{path}/deliveries", params=query), 200)["items"]
    return found


async def states(ana: Person, path: str) -> list[str]:
    return [each["status"] for each in await items(ana, path)]


async def test_of_many_attempts_the_last_ones_are_shown(
    ana: Person, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.hooks.delivery._ATTEMPTS_MAX", 2)
    receiver.answer_with(Reply(status=500), Reply(status=500), Reply())
    path = await hooked(ana, receiver)
    await ana.task(await ana.project())
    await eventually(lambda: states(ana, path), ["SUCCESS"])

    (listed,) = await items(ana, path)
    shown = done(await ana.get(f"{path}/deliveries/{listed['id']}"), 200)

    assert shown["attemptCount"] == 3
    assert [each["n"] for each in shown["attempts"]] == [2, 3]


async def test_a_delivery_is_shown_with_its_attempts(ana: Person, receiver: Receiver) -> None:
    receiver.answer_with(Reply(status=500, body=b"<b>no</b>"), Reply())
    path = await hooked(ana, receiver)
    await ana.task(await ana.project())
    await eventually(lambda: states(ana, path), ["SUCCESS"])

    (listed,) = await items(ana, path)
    shown = done(await ana.get(f"{path}/deliveries/{listed['id']}"), 200)

    attempts = shown.pop("attempts")
    assert shown == listed
    assert listed["eventId"] == receiver.requests[0].headers["webhook-id"]
    assert [(each["n"], each["status"]) for each in attempts] == [(1, 500), (2, 200)]
    assert attempts[0]["excerpt"] == "<b>no</b>"
    assert listed["attemptCount"] == 2
    assert listed["nextAt"] is None


async def test_deliveries_are_listed_in_pages_newest_first(ana: Person, receiver: Receiver) -> None:
    path = await hooked(ana, receiver)
    project = await ana.project()
    for number in range(5):
        await ana.task(project, f"Task {number}")
    await eventually(lambda: states(ana, path), ["SUCCESS"] * 5)

    pages: list[list[int]] = []
    query: Json = {"limit": 2, "status": "SUCCESS"}
    while True:
        page = done(await ana.get(f"{path}/deliveries", params=query), 200)
        pages.append([each["seq"] for each in page["items"]])
        if page["nextCursor"] is None:
            break
        query["cursor"] = page["nextCursor"]

    seqs = [seq for page in pages for seq in page]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert seqs == sorted(seqs, reverse=True)
    assert await items(ana, path, status="FAILED") == []


async def test_the_attempts_of_a_delivery_are_listed_a_page_at_a_time(
    ana: Person, receiver: Receiver
) -> None:
    path = await hooked(ana, receiver)
    await ana.task(await ana.project())
    for count in range(1, 4):
        await eventually(lambda: states(ana, path), ["SUCCESS"])
        (sent,) = await items(ana, path)
        assert sent["attemptCount"] == count
        done(await ana.post(f"{path}/deliveries/{sent['id']}/redeliver"), 202)
    one = f"{path}/deliveries/{sent['id']}"

    async def attempts() -> int:
        return len(done(await ana.get(f"{one}/attempts"), 200)["items"])

    await eventually(attempts, 4)
    first = done(await ana.get(f"{one}/attempts?limit=3"), 200)
    cursor = first["nextCursor"]
    rest = done(await ana.get(f"{one}/attempts?limit=3&cursor={cursor}"), 200)

    assert [each["n"] for each in first["items"]] == [4, 3, 2]
    assert [each["n"] for each in rest["items"]] == [1]
    assert rest["nextCursor"] is None
    assert done(await ana.get(one), 200)["attempts"] == [*rest["items"], *first["items"][::-1]]


async def test_an_ended_delivery_can_be_redelivered(ana: Person, receiver: Receiver) -> None:
    path = await hooked(ana, receiver)
    await ana.task(await ana.project())
    await eventually(lambda: states(ana, path), ["SUCCESS"])
    (sent,) = await items(ana, path)
    redeliver = f"{path}/deliveries/{sent['id']}/redeliver"

    assert done(await ana.post(f"{redeliver}?dry_run=true"), 200) == {"events": []}
    assert await states(ana, path) == ["SUCCESS"]
    assert done(await ana.post(redeliver), 202)["status"] == "PENDING"
    first, second = await receiver.wait_for(2)

    assert first.headers["webhook-id"] == second.headers["webhook-id"]


async def test_a_pending_delivery_cannot_be_redelivered(ana: Person, receiver: Receiver) -> None:
    receiver.answer_with(Reply(status=429, headers={"Retry-After": "60"}))
    path = await hooked(ana, receiver)
    await ana.task(await ana.project())
    await eventually(lambda: states(ana, path), ["RETRYING"])
    (waiting,) = await items(ana, path)

    assert waiting["nextAt"] is not None
    answer = await ana.post(f"{path}/deliveries/{waiting['id']}/redeliver")
    refused(answer, 409, "delivery_not_ended")


async def test_a_ping_is_sent_even_to_a_paused_webhook(ana: Person, receiver: Receiver) -> None:
    path = await hooked(ana, receiver)
    done(await ana.post(f"{path}/pause"), 200)

    ping = done(await ana.post(f"{path}/ping"), 202)
    (request,) = await receiver.wait_for(1)

    assert request.headers["webhook-id"] == ping["eventId"]

    async def status() -> str:
        shown = done(await ana.get(f"{path}/deliveries/{ping['id']}"), 200)
        return str(shown["status"])

    await eventually(status, "SUCCESS")


@pytest.mark.parametrize("write", ["add", "put_back"])
async def test_what_may_be_missing_in_a_copy_of_the_log_is_not_acknowledged(
    system: System, ana: Person, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    """The log became read-only between the check and the write."""
    path = await hooked(ana, receiver)
    await ana.task(await ana.project())
    await eventually(lambda: states(ana, path), ["SUCCESS"])
    (sent,) = await items(ana, path)
    original, store = getattr(system.operations, write), system.log.store

    async def late(*given: Any) -> Any:
        store.set_mode(LogMode.READ_ONLY)
        return await original(*given)

    monkeypatch.setattr(system.operations, write, late)
    try:
        asked = "/ping" if write == "add" else f"/deliveries/{sent['id']}/redeliver"
        refused(await ana.post(f"{path}{asked}"), 503, "read_only")
    finally:
        store.set_mode(LogMode.OPEN)


async def test_a_ping_ignores_an_idempotency_key_and_does_not_use_it_up(
    ana: Person, receiver: Receiver
) -> None:
    path, key = await hooked(ana, receiver), {"idempotency-key": "ping-once"}

    pings = [done(await ana.post(f"{path}/ping", headers=key), 202) for _ in range(2)]
    project = await ana.post("/project", {"key": "KEY", "name": "Keys"}, headers=key)

    assert pings[0]["id"] != pings[1]["id"]
    assert project.status_code == 201


async def test_other_organizations_see_no_deliveries_and_members_cannot_redeliver(
    system: System, ana: Person, dan: Person, receiver: Receiver
) -> None:
    path = await hooked(ana, receiver)
    other = await hooked(ana, receiver)
    await ana.task(await ana.project())
    await eventually(lambda: states(ana, path), ["SUCCESS"])
    (sent,) = await items(ana, path)
    one = f"{path}/deliveries/{sent['id']}"

    for answer in (
        await dan.get(f"{path}/deliveries"),
        await dan.get(one),
        await dan.get(f"{one}/attempts"),
        await ana.get(f"{path}/deliveries/nothing/attempts"),
        await dan.get(f"{path}/notices"),
        await dan.post(f"{one}/redeliver"),
        await dan.post(f"{path}/ping"),
        await ana.get(f"{other}/deliveries/{sent['id']}"),
        await ana.get(f"{path}/deliveries/nothing"),
    ):
        refused(answer, 404, "not_found")
    await join(system, dan, ana.org_id, Role.MEMBER)
    refused(await dan.post(f"{path}/ping"), 403, "not_permitted")
    done(await ana.delete(path), 204)
    refused(await ana.get(f"{path}/deliveries"), 404, "not_found")
