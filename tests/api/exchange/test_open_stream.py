"""Live events of a real server: what open streams are told, and why they end."""

import asyncio
from datetime import timedelta
from itertools import cycle
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar

from api.app import create_app
from api.exchange.live import follower
from domain.base import OrgId, UserId
from domain.identity.organization.membership import (
    LeaveCause,
    MemberLeft,
    MemberRoleChanged,
    Role,
)
from domain.work.task.events import TaskRetitled
from projections.engine.progress import Progress
from runtime.health.streams import open_streams
from runtime.system import System, open_system
from tests.api.connection.serving import eventually, serving
from tests.api.exchange.streams import listening, member, recorded, stream_of
from tests.api.stage import MovableClock, Person, done, log_in, refused, sign_up
from tests.spec import on, record


class TestWhileItIsOpen:
    async def test_it_goes_on_with_what_happens(self, app: Litestar, ana: Person) -> None:
        project = await ana.project()
        async with stream_of(app, ana) as (stream, _):
            task = await ana.task(project)
            done(await ana.patch(f"/task/{task['id']}", {"title": "Grease it"}), 200)

            created, retitled = await stream.next(), await stream.next()

        assert (created.event, created.data["stream"]["id"]) == ("task.created", task["id"])
        assert retitled.data["data"]["to"] == "Grease it"
        assert (retitled.id or 0) == (created.id or 0) + 1

    async def test_an_idle_stream_tells_how_far_it_is(
        self, app: Litestar, ana: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(follower, "HEARTBEAT_S", 0.01)
        async with stream_of(app, ana, query="?types=team.*") as (stream, live):
            await ana.project()
            [reader] = live.readers
            await eventually(lambda: reader.position == 4)
            while stream.last < 4:
                stream.last = await stream.heartbeat()

        assert stream.last == 4  # although nobody was told of the project

    async def test_it_ends_when_the_session_ends(self, app: Litestar, ana: Person) -> None:
        other = await log_in(ana.client, ana.email)
        async with stream_of(app, ana) as (stream, _):
            ana.token = other
            done(await ana.delete("/auth/sessions"), 204)

            assert (await stream.next()).data["reason"] == "no_access"

    async def test_it_ends_when_the_member_leaves(
        self, app: Litestar, system: System, ana: Person
    ) -> None:
        ben = await member(app, system, ana, Role.MEMBER)
        org_id, user_id = OrgId(UUID(ana.org_id)), UserId(UUID(ben.id))
        async with stream_of(app, ben) as (stream, _):
            await record(
                system.log,
                on(org_id, MemberLeft(user_id=user_id, cause=LeaveCause.REMOVED), org_id=org_id),
            )
            await ana.project()

            ended = await stream.next()

        assert (ended.event, ended.data["reason"]) == ("stream.ended", "no_access")

    async def test_it_ends_when_the_key_is_revoked(self, app: Litestar, ana: Person) -> None:
        asked = {"name": "CI", "scopes": {"org": ["read"], "project": ["read"]}}
        key = done(await ana.post("/apikey", asked), 201)
        robot = Person(ana.client, "", {"id": ana.id, "organizationId": ana.org_id}, key["key"])
        async with stream_of(app, robot) as (stream, _):
            await ana.project()
            assert (await stream.next()).event == "project.created"
            done(await ana.delete(f"/apikey/{key['id']}"), 204)

            assert (await stream.next()).data["reason"] == "no_access"

    async def test_it_ends_when_the_token_expires(
        self, app: Litestar, ana: Person, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(follower, "HEARTBEAT_S", 0.01)
        async with stream_of(app, ana) as (stream, _):
            clock.ahead = timedelta(minutes=16)

            assert (await stream.next()).data["reason"] == "token_expired"

    async def test_a_role_that_falls_sees_less_at_once(
        self, app: Litestar, system: System, ana: Person
    ) -> None:
        cleo = await member(app, system, ana, Role.MANAGER)
        org_id, user_id = OrgId(UUID(ana.org_id)), UserId(UUID(cleo.id))
        hook = {"url": "https://example.com/hook", "events": ["*"]}
        async with stream_of(app, cleo) as (stream, _):
            done(await ana.post("/webhook", hook), 201)
            seen = await stream.until("webhook.created")
            falls = MemberRoleChanged(user_id=user_id, from_=Role.MANAGER, to=Role.MEMBER)
            await record(system.log, on(org_id, falls, org_id=org_id))
            done(await ana.post("/webhook", hook), 201)
            await ana.project()

            rest = await stream.until("project.created")

        assert seen[-1].event == "webhook.created"
        assert [each.event for each in rest] == ["member.role_changed", "project.created"]

    async def test_a_project_that_becomes_private_is_told_no_more(
        self, app: Litestar, system: System, ana: Person
    ) -> None:
        project = await ana.project()
        ben = await member(app, system, ana, Role.MEMBER)
        async with stream_of(app, ben) as (stream, _):
            await ana.task(project)
            assert (await stream.next()).event == "task.created"
            done(await ana.patch(f"/project/{project['id']}", {"visibility": "PRIVATE"}), 200)
            await ana.task(project, "Grease the axle")
            await ana.project("OPEN")

            told = await stream.next()

        assert told.data["data"]["key"] == "OPEN"

    async def test_a_slow_reader_is_let_go_and_goes_on_where_it_was(
        self, app: Litestar, system: System, ana: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("api.exchange.live.reader.UNSENT_MAX", 2)
        task, org_id = await ana.task(await ana.project()), OrgId(UUID(ana.org_id))
        titles = ["One", "Two", "Three"]
        async with stream_of(app, ana) as (stream, _):
            events = [TaskRetitled(from_="-", to=title) for title in titles]
            await record(system.log, on(UUID(task["id"]), *events, org_id=org_id))
            ended = await stream.next()

        assert ended.data["reason"] == "too_slow"
        told = await recorded(ana, after=ended.data["seq"])
        assert [each.data["data"]["to"] for each in told] == titles

    async def test_a_server_that_stops_ends_it(self, app: Litestar, make_app: Any) -> None:
        stopping = make_app()
        ana = await sign_up(stopping)
        async with stream_of(stopping, ana) as (stream, live):
            live.stop()

            assert (await stream.next()).data["reason"] == "stopping"
            refused(await ana.get("/events"), 503, "busy")

    async def test_a_person_has_a_limited_number_of_streams(
        self, app: Litestar, ana: Person, dan: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(follower, "STREAMS_PER_PERSON_MAX", 1)
        async with stream_of(app, ana):
            problem = await ana.get("/events")
            other = await dan.get("/events?follow=false")

        assert int(problem.headers["retry-after"]) > 0
        refused(problem, 429, "too_many_streams")
        assert other.status_code == 200
        await recorded(ana)

    async def test_an_organization_has_a_limited_number_of_streams(
        self,
        app: Litestar,
        system: System,
        ana: Person,
        dan: Person,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        ben = await member(app, system, ana, Role.MEMBER)
        monkeypatch.setattr(follower, "STREAMS_PER_ORGANIZATION_MAX", 1)
        async with stream_of(app, ana):
            refused(await ben.get("/events"), 429, "too_many_streams")
            assert (await dan.get("/events?follow=false")).status_code == 200

    async def test_open_streams_are_counted_until_they_end(
        self, app: Litestar, ana: Person
    ) -> None:
        before = open_streams.count
        async with stream_of(app, ana):
            assert open_streams.count == before + 1

        await eventually(lambda: open_streams.count == before)

    async def test_a_process_has_a_limited_number_of_streams(
        self, app: Litestar, ana: Person, dan: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(follower, "LIVE_STREAMS_MAX", 1)
        async with stream_of(app, ana):
            refused(await dan.get("/events"), 503, "busy")


async def test_two_processes_and_restarts_give_each_event_once(
    system: System, read_side: Progress, app: Litestar, ana: Person, clock: MovableClock
) -> None:
    """A client that is thrown off again and again, and lands on either of two processes."""
    project, got = await ana.project(), list[tuple[int, str]]()
    first = after = len(await recorded(ana))

    async def work() -> None:
        for number in range(60):
            await ana.task(project, f"Task {number}")

    async with open_system(system.settings, clock) as other:
        apps, working = cycle((app, create_app(other, read_side))), asyncio.create_task(work())
        while len(got) < 60:
            async with serving(next(apps)) as served:
                base = f"http://127.0.0.1:{served.port}"
                async with listening(base, ana.token, after) as stream:
                    for _ in range(15):
                        told = await stream.next()
                        after = told.id or 0
                        got.append((after, told.data["data"]["title"]))
        await working

    assert got == [(first + n + 1, f"Task {n}") for n in range(60)]
