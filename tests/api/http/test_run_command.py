"""What applies to every command: retries, dry runs, read-your-own-writes, tenants, pages."""

from uuid import uuid4

import pytest

from api.http.log_position import shown_position
from runtime.system import System
from tests.api.stage import Person, at_once, done, refused, stored_events


class TestIdempotencyKey:
    async def test_a_retry_gets_the_first_response(self, system: System, ana: Person) -> None:
        project = await ana.project()
        path, key = f"/project/{project['id']}/tasks", {"idempotency-key": "task-1"}

        first = await ana.post(path, {"title": "Oil it"}, headers=key)
        second = await ana.post(path, {"title": "Oil it"}, headers=key)

        assert done(first, 201) == done(second, 201)
        for name in ("etag", "location", "x-position"):
            assert first.headers[name] == second.headers[name]
        assert second.headers["idempotent-replayed"] == "true"
        assert len(done(await ana.get(path), 200)["items"]) == 1

    async def test_eight_concurrent_retries_get_the_same_response(self, ana: Person) -> None:
        project = await ana.project()
        path, key = f"/project/{project['id']}/tasks", {"idempotency-key": "task-2"}

        answers = await at_once(
            *(ana.post(path, {"title": "Oil it"}, headers=key) for _ in range(8))
        )

        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert len(done(await ana.get(path), 200)["items"]) == 1

    async def test_a_key_is_refused_for_another_request(self, ana: Person) -> None:
        project = await ana.project()
        path, key = f"/project/{project['id']}/tasks", {"idempotency-key": "task-3"}
        done(await ana.post(path, {"title": "Oil it"}, headers=key), 201)

        other_body = await ana.post(path, {"title": "Grease it"}, headers=key)
        other_path = await ana.post("/project", {"key": "OPS", "name": "O"}, headers=key)

        refused(other_body, 422, "idempotency_key_reused")
        refused(other_path, 422, "idempotency_key_reused")

    async def test_a_key_belongs_to_one_user(self, ana: Person, dan: Person) -> None:
        body, key = {"key": "ENG", "name": "E"}, {"idempotency-key": "shared"}

        mine = done(await ana.post("/project", body, headers=key), 201)
        theirs = done(await dan.post("/project", body, headers=key), 201)

        assert mine["id"] != theirs["id"]

    async def test_a_deletion_can_be_retried(self, ana: Person) -> None:
        project = await ana.project()
        path, key = f"/project/{project['id']}", {"idempotency-key": "gone"}

        done(await ana.delete(path, headers=key), 204)

        done(await ana.delete(path, headers=key), 204)
        refused(await ana.delete(path), 404, "not_found")

    async def test_a_malformed_key_is_refused(self, ana: Person) -> None:
        for key in ("", "x" * 256, "with space"):
            response = await ana.post(
                "/project", {"key": "ENG", "name": "E"}, headers={"idempotency-key": key}
            )
            refused(response, 400, "malformed_request")


class TestDryRun:
    async def test_a_dry_run_shows_the_events_and_records_nothing(
        self, system: System, ana: Person
    ) -> None:
        task = await ana.task(await ana.project())
        body = {"title": "Grease it", "priority": "HIGH"}

        response = await ana.patch("/task/ENG-1?dry_run=true", body)

        events = done(response, 200)["events"]
        assert [event["type"] for event in events] == ["task.retitled", "task.priority_changed"]
        assert {event["stream"]["id"] for event in events} == {task["id"]}
        assert events[0]["data"] == {"from": "Oil it", "to": "Grease it"}
        assert "x-position" not in response.headers
        assert await stored_events(system, task["id"]) == ["task.created"]

    async def test_a_dry_run_claims_no_numbers_or_keys(self, ana: Person) -> None:
        project = await ana.project()
        path, key = f"/project/{project['id']}/tasks", {"idempotency-key": "dry"}

        done(await ana.post(f"{path}?dry_run=true", {"title": "Oil it"}, headers=key), 200)

        task = done(await ana.post(path, {"title": "Oil it"}, headers=key), 201)
        assert task["number"] == 1

    async def test_a_dry_run_refuses_a_malformed_key(self, ana: Person) -> None:
        body, key = {"key": "ENG", "name": "E"}, {"idempotency-key": "two words"}

        answer = await ana.post("/project?dry_run=true", body, headers=key)

        refused(answer, 400, "malformed_request")

    async def test_a_dry_run_is_refused_like_the_command_itself(self, ana: Person) -> None:
        await ana.task(await ana.project())

        response = await ana.post("/task/ENG-1/status?dry_run=true", {"status": "DONE"})

        refused(response, 409, "transition_not_allowed")


class TestReadYourWrites:
    async def test_a_client_reads_its_own_writes(self, ana: Person) -> None:
        project = await ana.project()
        path = f"/project/{project['id']}/tasks"

        for number in range(1, 21):
            done(await ana.post(path, {"title": f"Task {number}"}), 201)
            assert done(await ana.get(f"/task/ENG-{number}"), 200)["number"] == number

        assert len(done(await ana.get(path), 200)["items"]) == 20

    async def test_a_position_not_reached_in_time_gets_503_with_retry_after(
        self, ana: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("api.http.state._WAIT_S", 0.1)
        response = await ana.get(
            "/project", headers={"x-min-position": str(shown_position(999_999_999, 1, 1))}
        )

        refused(response, 503, "read_model_behind")
        assert response.headers["retry-after"] == "1"


class TestTenants:
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", "/project/{project}", None),
            ("PATCH", "/project/{project}", {"name": "Mine"}),
            ("DELETE", "/project/{project}", None),
            ("POST", "/project/{project}/archive", None),
            ("POST", "/project/{project}/restore", None),
            ("GET", "/project/{project}/tasks", None),
            ("POST", "/project/{project}/tasks", {"title": "Mine"}),
            ("GET", "/task/{task}", None),
            ("PATCH", "/task/{task}", {"title": "Mine"}),
            ("PATCH", "/task/{task}?dry_run=true", {"title": "Mine"}),
            ("DELETE", "/task/{task}", None),
            ("POST", "/task/{task}/status", {"status": "IN_PROGRESS"}),
            ("POST", "/task/{task}/restore", None),
            ("GET", "/org/{org}", None),
            ("PATCH", "/org/{org}", {"name": "Mine"}),
            ("DELETE", "/org/{org}", None),
            ("POST", "/org/{org}/restore", None),
            ("PATCH", "/org/{org}/plan", {"plan": "BASIC"}),
            ("GET", "/org/{org}/members", None),
            ("PATCH", "/org/{org}/members/{user}", {"role": "MEMBER"}),
            ("DELETE", "/org/{org}/members/{user}", None),
            ("GET", "/webhook/{webhook}", None),
            ("PATCH", "/webhook/{webhook}", {"events": ["*"]}),
            ("DELETE", "/webhook/{webhook}", None),
            ("POST", "/webhook/{webhook}/rotate-secret", None),
        ],
    )
    async def test_another_organizations_resource_looks_like_a_missing_one(
        self, ana: Person, dan: Person, method: str, path: str, body: object
    ) -> None:
        project = await dan.project()
        task = await dan.task(project)
        hook = {"url": "https://hooks.example.com/", "events": ["*"]}
        webhook = done(await dan.post("/webhook", hook), 201)
        theirs = {
            "project": project["id"],
            "task": task["id"],
            "org": dan.org_id,
            "user": dan.id,
            "webhook": webhook["id"],
        }
        nobodys = dict.fromkeys(theirs, str(uuid4()))
        same_id = {"x-request-id": "the-same-id"}

        there = await ana.ask(method, path.format(**theirs), json=body, headers=same_id)
        nowhere = await ana.ask(method, path.format(**nobodys), json=body, headers=same_id)

        refused(there, 404, "not_found")
        assert there.content == nowhere.content
        assert there.headers == nowhere.headers

    async def test_another_organizations_ids_in_bodies_are_not_found(
        self, ana: Person, dan: Person
    ) -> None:
        parent = await dan.task(await dan.project())
        project = await ana.project()
        path = f"/project/{project['id']}/tasks"

        for body in (
            {"title": "Mine", "parentId": parent["id"]},
            {"title": "Mine", "parentId": str(uuid4())},
        ):
            refused(await ana.post(path, body), 404, "not_found")
        lead = {"key": "OPS", "name": "O", "leadId": dan.id}
        refused(await ana.post("/project", lead), 404, "not_found")


class TestPages:
    async def test_pages_follow_each_other_without_gaps_or_repetitions(self, ana: Person) -> None:
        project = await ana.project()
        for _ in range(7):
            await ana.task(project)
        path = f"/project/{project['id']}/tasks?limit=3"
        numbers: list[int] = []
        cursor: str | None = ""

        while cursor is not None:
            following = f"{path}&cursor={cursor}" if cursor else path
            response = await ana.get(following)
            page = done(response, 200)
            numbers += [task["number"] for task in page["items"]]
            cursor = page["nextCursor"]
            assert (cursor is not None) == ("link" in response.headers)
            if cursor is not None:
                link, _, kind = response.headers["link"].partition("; ")
                assert kind == 'rel="next"'
                linked = await ana.get(link.strip("<>").removeprefix("/api"))
                assert linked.content == (await ana.get(f"{path}&cursor={cursor}")).content

        assert numbers == [7, 6, 5, 4, 3, 2, 1]

    async def test_a_cursor_of_another_list_is_refused(self, ana: Person, dan: Person) -> None:
        project, other = await ana.project("ENG"), await ana.project("OPS")
        for _ in range(3):
            await ana.task(project)
        path = f"/project/{project['id']}/tasks"
        cursor = done(await ana.get(f"{path}?limit=1"), 200)["nextCursor"]

        for stranger in (
            f"{path}?status=TODO&cursor={cursor}",
            f"/project/{other['id']}/tasks?cursor={cursor}",
            f"/project?cursor={cursor}",
            f"{path}?cursor={cursor[:-2]}AA",
            f"{path}?cursor=x",
            f"{path}?cursor={'x' * 2000}",
        ):
            refused(await ana.get(stranger), 400, "malformed_request")
        done(await ana.get(f"{path}?limit=2&cursor={cursor}"), 200)
