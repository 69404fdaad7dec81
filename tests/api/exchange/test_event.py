"""Live events over HTTP: who is told what, from where on, and why a stream ends."""

import pytest
from litestar import Litestar

from api.exchange.event import BEHIND_MAX
from domain.identity.organization.membership import (
    Role,
)
from runtime.system import System
from tests.api.exchange.streams import member, parsed, recorded
from tests.api.stage import Person, done, refused


class TestWhatIsTold:
    async def test_everything_after_the_last_event_comes_once_and_in_order(
        self, ana: Person
    ) -> None:
        project = await ana.project()
        for number in range(120):  # more than are read at a time
            await ana.task(project, f"Task {number}")

        everything = await recorded(ana)
        rest = await recorded(ana, after=everything[59].id or 0)

        audit = done(await ana.get("/audit?limit=100"), 200)["items"]
        assert [each.id for each in everything] == list(range(1, len(everything) + 1))
        assert rest == everything[60:]
        newest = next(each for each in audit if each["type"] == "task.created")
        told = everything[-1].data
        assert told == {n: v for n, v in newest.items() if n not in ("ip", "userAgent")}
        assert told["data"]["title"] == "Task 119"

    async def test_only_events_of_the_types_asked_for_are_told(self, ana: Person) -> None:
        task = await ana.task(await ana.project())
        done(await ana.post(f"/task/{task['id']}/comments", {"body": "Oiled?"}), 201)

        told = await recorded(ana, query="&types=task.*,comment.posted")

        assert [each.event for each in told] == ["task.created", "comment.posted"]
        assert "Oiled?" not in str(told)
        for types in ("task.nonsense", "", "task.*,", "x"):
            refused(await ana.get(f"/events?follow=false&types={types}"), 422, "invalid_request")

    async def test_a_role_sees_the_events_that_it_may_read(
        self, app: Litestar, system: System, ana: Person
    ) -> None:
        invited = {"email": "kim@example.com", "role": "MEMBER"}
        done(await ana.post(f"/org/{ana.org_id}/invitations", invited), 201)
        hook = {"url": "https://example.com/hook", "events": ["*"]}
        done(await ana.post("/webhook", hook), 201)
        await ana.project()
        ben = await member(app, system, ana, Role.MEMBER)
        cleo = await member(app, system, ana, Role.MANAGER)
        key = {"name": "CI", "scopes": {"org": ["read"], "project": ["read"]}}
        key_of_ana = Person(ana.client, "", {"id": ana.id, "organizationId": ana.org_id}, "")
        key_of_ana.token = done(await ana.post("/apikey", key), 201)["key"]

        of = {
            name: {each.event for each in await recorded(who)}
            for name, who in {
                "ADMIN": ana,
                "MANAGER": cleo,
                "MEMBER": ben,
                "key": key_of_ana,
            }.items()
        }

        assert of["ADMIN"] - of["MANAGER"] == {"access.logged_in", "api_key.created"}
        assert of["MANAGER"] - of["MEMBER"] == {"member.invited", "webhook.created"}
        assert of["MEMBER"] == {"organization.created", "member.joined", "project.created"}
        assert of["key"] == of["MEMBER"]

    async def test_a_project_is_hidden_from_those_who_do_not_see_it_now(
        self, app: Litestar, system: System, ana: Person
    ) -> None:
        project = await ana.project()
        task = await ana.task(project, "Grease the axle")
        done(await ana.post(f"/task/{task['id']}/comments", {"body": "Oiled?"}), 201)
        ben = await member(app, system, ana, Role.MEMBER)
        before = {each.event for each in await recorded(ben)}

        done(await ana.patch(f"/project/{project['id']}", {"visibility": "PRIVATE"}), 200)
        hidden = await recorded(ben)
        done(await ana.post(f"/project/{project['id']}/members", {"userId": ben.id}), 204)

        assert {"project.created", "task.created", "comment.posted"} <= before
        assert project["id"] not in str(hidden)
        assert task["id"] not in str(hidden)
        assert before <= {each.event for each in await recorded(ben)}

    async def test_what_is_deleted_now_is_told_only_as_deleted(self, ana: Person) -> None:
        project = await ana.project()
        task, kept = await ana.task(project, "Grease the axle"), await ana.task(project)
        done(await ana.delete(f"/task/{task['id']}"), 204)

        told = [each for each in await recorded(ana) if each.event.startswith("task.")]
        done(await ana.post(f"/task/{task['id']}/restore"), 200)
        again = [each for each in await recorded(ana) if each.event.startswith("task.")]
        done(await ana.delete(f"/project/{project['id']}"), 204)
        gone = [each.event for each in await recorded(ana)]

        assert [(e.event, e.data["stream"]["id"]) for e in told] == [
            ("task.created", kept["id"]),
            ("task.deleted", task["id"]),
        ]
        assert [e.event for e in again] == [
            *("task.created", "task.created", "task.deleted", "task.restored")
        ]
        assert "task.created" not in gone
        assert gone[-1] == "project.deleted"

    async def test_another_organization_is_told_nothing(self, ana: Person, dan: Person) -> None:
        project = await ana.project()

        assert project["id"] not in str(await recorded(dan))


class TestWhereItBegins:
    async def test_without_a_last_event_it_begins_with_what_happens_next(self, ana: Person) -> None:
        await ana.project()

        response = await ana.get("/events?follow=false")

        [last] = parsed(response.text)
        assert last.event == "stream.ended"
        assert last.data == {"reason": "caught_up", "seq": last.id}
        assert last.id == len(await recorded(ana))

    @pytest.mark.parametrize("given", ["x", "-1", "1.5", "", "9" * 17, "+1"])
    async def test_a_malformed_last_event_is_refused(self, ana: Person, given: str) -> None:
        problem = await ana.get("/events?follow=false", headers={"last-event-id": given})

        refused(problem, 400, "malformed_request")

    async def test_a_client_that_is_too_far_behind_or_ahead_reads_its_lists_again(
        self, ana: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await ana.project()
        head = len(await recorded(ana))
        assert head < BEHIND_MAX
        monkeypatch.setattr("api.exchange.event.BEHIND_MAX", head - 2)

        for after in (head + 1, 1):
            problem = await ana.get("/events", headers={"last-event-id": str(after)})
            assert refused(problem, 410, "events_too_old")["seq"] == head
        assert len(await recorded(ana, after=2)) == head - 2

    async def test_a_head_sends_nothing_and_ends(self, ana: Person) -> None:
        response = await ana.ask("HEAD", "/events")

        assert (response.status_code, response.content) == (200, b"")
