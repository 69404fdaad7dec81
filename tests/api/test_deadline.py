"""A request whose response does not begin in time is given up, and may be sent again safely."""

import asyncio
import threading
from collections.abc import AsyncIterator, Generator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar

from api import deadline
from api.deadline import Deadline, DeadlineExceeded, RequestWatch
from api.http.access_log import AccessLog
from api.http.cors import Cors
from api.http.edge import Edge
from api.http.policy import AllowedMethods, StreamingRoutes
from eventstore.append import Append
from eventstore.engine.sqlite.driver import connect
from runtime.settings import load_settings
from runtime.system import System
from security.passwords import HashingQueue, Passwords
from tests.api.conftest import Make
from tests.api.stage import Person, client_of, done, refused, stored_events, unique

SOON_S = 0.02
NEVER_S = 60.0


class Held(Passwords):
    """Hashes nothing before it is told to."""

    free = threading.Event()

    def hash(self, password: str) -> str:
        assert self.free.wait(NEVER_S)
        return f"hash of {password}"


@contextmanager
def locked(system: System) -> Generator[None]:
    """Hold the lock of the log, so that a command waits for its commit."""
    path = system.settings.events_url.removeprefix("sqlite:///")
    with closing(connect(path)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield


@pytest.fixture
async def hurried(
    system: System, make_app: Make, monkeypatch: pytest.MonkeyPatch, ana: Person
) -> AsyncIterator[Person]:
    """Return Ana, using an application with a short deadline once a command is at the log.

    Before, its requests take as long as they need, so that a busy machine changes nothing.
    """
    at_log = asyncio.Event()
    append = system.log.append

    async def noted(command: Append) -> int:
        at_log.set()
        return await append(command)

    monkeypatch.setattr(system.log, "append", noted)
    monkeypatch.setattr(system.passwords, "is_awaited_by", lambda _: not at_log.is_set())
    monkeypatch.setattr(deadline, "SPARE_S", SOON_S)
    none = dict.fromkeys(
        ("events_deadline", "operations_deadline", "read_models_deadline", "redis_deadline"),
        timedelta(),
    )
    async with client_of(make_app(**none)) as client:
        yield Person(client, ana.email, {"id": ana.id, "organizationId": ana.org_id}, ana.token)


async def test_a_command_that_was_given_up_is_recorded_once_and_its_retry_gets_the_reply(
    system: System, ana: Person, hurried: Person
) -> None:
    body, key = {"key": "LATE", "name": "Late"}, {"idempotency-key": unique()}
    done(await hurried.get("/project"), 200)
    with locked(system):
        answer = await hurried.post("/project", body, headers=key)
        problem = refused(answer, 503, "deadline_exceeded")
        refused(await hurried.post("/project", body, headers=key), 503, "deadline_exceeded")

    assert answer.headers["retry-after"] == "2"
    assert "Idempotency-Key" in problem["detail"]
    again = await ana.post("/project", body, headers=key)
    assert again.headers["idempotent-replayed"] == "true"
    assert await stored_events(system, done(again, 201)["id"]) == ["project.created"]
    refused(await ana.post("/project", body), 409, "project_key_taken")


async def test_a_command_waits_for_no_other_that_was_given_up(
    system: System, ana: Person, hurried: Person
) -> None:
    task = await ana.task(await ana.project())
    path = f"/task/{task['id']}"
    with locked(system):
        answers = await asyncio.gather(
            *(hurried.patch(path, {"title": f"Title {n}"}) for n in range(5))
        )

    for answer in answers:
        refused(answer, 503, "deadline_exceeded")
    assert done(await ana.patch(path, {"title": "At last"}), 200)["title"] == "At last"


class TestWatch:
    async def test_a_late_request_is_given_up_and_others_are_not(self) -> None:
        watching = Deadline(SOON_S)

        async def late() -> None:
            with RequestWatch(watching):
                await asyncio.sleep(NEVER_S)

        async def begun() -> str:
            watch = RequestWatch(watching)
            with watch:
                watch.end()  # as when the response begins
                await asyncio.sleep(SOON_S * 3)
            return "whole"

        for _ in range(2):  # with another timer
            *given_up, whole = await asyncio.gather(late(), late(), begun(), return_exceptions=True)
            assert whole == "whole"
            assert [type(each) for each in given_up] == [DeadlineExceeded, DeadlineExceeded]

    async def test_a_request_may_wait_for_its_turn_to_hash_a_password(self) -> None:
        queue = HashingQueue(Held())
        watching = Deadline(SOON_S, queue.is_awaited_by)

        async def login() -> str:
            with RequestWatch(watching):
                return await queue.hash("violet")

        async def late() -> None:
            with RequestWatch(watching):
                await asyncio.sleep(NEVER_S)

        login_task = asyncio.create_task(login())
        for _ in range(3):  # each as long as the deadline
            with pytest.raises(DeadlineExceeded):
                await late()
        assert not login_task.done()
        Held.free.set()
        assert await login_task == "hash of violet"
        queue.close()

    async def test_a_server_that_stops_cancels_a_request_that_was_given_up_too(self) -> None:
        watching = Deadline(SOON_S)
        given_up = asyncio.Event()

        async def stubborn() -> None:
            with RequestWatch(watching):
                try:
                    await asyncio.sleep(NEVER_S)
                finally:
                    given_up.set()
                    await asyncio.sleep(NEVER_S)

        task = asyncio.create_task(stubborn())
        await given_up.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    def test_the_default_is_a_second_more_than_one_call_to_a_store(self, tmp_path: Path) -> None:
        defaults = load_settings({"APP_ENV": "test", "DATA_DIR": str(tmp_path)})

        assert deadline.deadline_of(defaults) == 5.0


async def test_a_response_that_has_begun_is_sent_whole() -> None:
    async def long(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(SOON_S * 3)
        await send({"type": "http.response.body", "body": b"whole"})

    app = Litestar([], openapi_config=None)
    app.asgi_handler = Edge(
        long,
        cors=Cors(()),
        trusted_proxies=(),
        access_log=AccessLog(enabled=False),
        allowed=AllowedMethods(app),
        streaming=StreamingRoutes(app),
        deadline=Deadline(SOON_S),
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app.asgi_handler), base_url="http://localhost"
    ) as client:
        assert (await client.get("/")).text == "whole"
