"""Live streams when something fails: stores, the follower, a client that sleeps."""

from uuid import UUID

import pytest
from litestar import Litestar

from api.exchange.event import LIVE
from api.exchange.live import follower
from api.exchange.live.checking import ReaderCheck
from api.exchange.live.follower import Live
from domain.base import OrgId
from domain.work.task.events import TaskRetitled
from eventstore.append import LogUnavailable
from runtime.system import System
from tests.api.connection.serving import eventually, serving
from tests.api.exchange.streams import recorded, stream_of
from tests.api.stage import Person
from tests.spec import on, record


class TestUnderStress:
    async def test_nothing_is_told_while_it_cannot_be_checked_and_all_of_it_afterwards(
        self, app: Litestar, system: System, ana: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(follower, "HEARTBEAT_S", 0.01)
        project = await ana.project()

        async def away(*_: object) -> None:
            raise LogUnavailable("no answer")

        async with stream_of(app, ana) as (stream, _):
            with monkeypatch.context() as patch:
                patch.setattr(ReaderCheck, "renew", away)
                await ana.task(project)
                ended = await stream.next()

        assert (ended.event, ended.data["reason"]) == ("stream.ended", "unavailable")
        told = await recorded(ana, after=ended.data["seq"])
        assert [each.event for each in told] == ["task.created"]

    async def test_a_failure_of_the_follower_ends_the_streams_and_the_next_one_works(
        self, app: Litestar, ana: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        project = await ana.project()

        async def broken(*_: object) -> None:
            raise RuntimeError("a bug")

        async with stream_of(app, ana) as (stream, _):
            with monkeypatch.context() as patch:
                patch.setattr(Live, "_hand", broken)
                await ana.task(project)
                ended = await stream.next()
        async with stream_of(app, ana, after=ended.data["seq"]) as (stream, _):
            created = await stream.next()
            await ana.task(project, "Next")
            following = await stream.next()

        assert ended.data["reason"] == "unavailable"
        assert (created.event, following.data["data"]["title"]) == ("task.created", "Next")

    async def test_a_client_that_reads_nothing_is_disconnected(
        self, app: Litestar, system: System, ana: Person
    ) -> None:
        task, org_id = await ana.task(await ana.project()), OrgId(UUID(ana.org_id))
        async with serving(app, write_s=0.2) as served, served.client() as client:
            head = f"GET /api/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ana.token}\r\n"
            await client.send(f"{head}last-event-id: 0\r\n\r\n".encode())
            await eventually(lambda: app.state[LIVE].count)
            client.reader._transport.pause_reading()  # type: ignore[attr-defined]  # a sleeping client
            events = [TaskRetitled(from_="-", to="x" * 8_000) for _ in range(400)]
            for _ in range(4):
                await record(system.log, on(UUID(task["id"]), *events, org_id=org_id))
            await eventually(lambda: not app.state[LIVE].count)
