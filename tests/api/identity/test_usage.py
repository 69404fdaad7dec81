"""What a plan allows is shown with what is used, and how far back the audit log reaches."""

from datetime import timedelta
from typing import Any

from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.keys import change_plan, create
from tests.api.stage import MovableClock, Person, done, join, log_in, refused, sign_up

MORE = {"name": "X", "scopes": {"org": ["read"]}}
HOOK = {"url": "https://example.com/hook", "events": ["*"]}


async def usage(person: Person) -> Any:
    return done(await person.get(f"/org/{person.org_id}/usage"), 200)


class TestUsage:
    async def test_everything_that_the_plan_limits_is_counted(
        self, app: Litestar, system: System, ana: Person
    ) -> None:
        ben = await sign_up(app, organization=False)
        await join(system, ben, ana.org_id, Role.MEMBER)
        inviting = f"/org/{ana.org_id}/invitations"
        done(await ana.post(inviting, {"email": "cleo@example.com", "role": "MEMBER"}), 201)
        project = await ana.project()
        archived = await ana.project("OLD")
        done(await ana.post(f"/project/{archived['id']}/archive"), 200)
        await ana.task(project)
        await ana.task(project)
        done(await ana.delete("/task/ENG-2"), 204)
        done(await ana.post("/webhook", HOOK), 201)
        done(await ana.post("/team", {"name": "Gears"}), 201)
        await ana.file("ENG-1")
        size = {"key": "size", "name": "Size", "type": "text"}
        done(await ana.post("/project/ENG/fields", size), 201)
        await create(ana)

        shown = await usage(ana)
        assert shown["used"] == {
            "members": 3, "teams": 1, "projects": 1, "tasks": 1, "webhooks": 1, "apiKeys": 1,
            "customFields": 1, "storageBytes": 3,
        }  # fmt: skip
        assert shown["limits"] == {
            "members": 10, "teams": 2, "projects": 5, "tasks": 1000, "webhooks": 2, "apiKeys": 2,
            "customFields": 5, "storageBytes": 2_000_000_000, "fileBytes": 10_000_000,
            "requestsPerMinute": 100, "auditDays": 90, "pastDays": 30,
        }  # fmt: skip
        assert (shown["plan"], shown["over"]) == ("FREE", [])
        me = done(await ana.get("/user/me"), 200)
        assert (me["limits"], me["usage"]) == (shown["limits"], shown["used"])
        assert await usage(ben) == shown

    async def test_after_going_down_what_is_over_is_named_until_it_fits(self, ana: Person) -> None:
        await change_plan(ana, "BASIC")
        keys = [await create(ana) for _ in range(4)]
        hooks = [done(await ana.post("/webhook", HOOK), 201) for _ in range(2)]
        await change_plan(ana, "FREE")

        assert (await usage(ana))["over"] == ["api_keys"]
        for key in keys[:2]:
            refused(
                await ana.post("/apikey", MORE),
                402,
                "plan_limit",
            )
            done(await ana.patch(f"/apikey/{key['id']}", {"name": "Still mine"}), 200)
            done(await ana.delete(f"/apikey/{key['id']}"), 204)
        assert (await usage(ana))["over"] == []
        refused(await ana.post("/apikey", MORE), 402, "plan_limit")
        refused(await ana.post("/webhook", HOOK), 402, "plan_limit")
        done(await ana.delete(f"/webhook/{hooks[0]['id']}"), 204)
        done(await ana.post("/webhook", HOOK), 201)

    async def test_the_usage_of_another_organization_is_not_found(
        self, ana: Person, dan: Person
    ) -> None:
        refused(await ana.get(f"/org/{dan.org_id}/usage"), 404, "not_found")


class TestReadingWindow:
    async def test_the_audit_log_is_read_as_far_back_as_the_plan_reaches(
        self, ana: Person, clock: MovableClock
    ) -> None:
        await ana.project()
        clock.ahead = timedelta(days=89)
        ana.token = await log_in(ana.client, ana.email)
        found = done(await ana.get("/audit?type=project.created"), 200)["items"]
        clock.ahead = timedelta(days=91)
        ana.token = await log_in(ana.client, ana.email)
        await ana.project("NEW")

        assert len(found) == 1
        [newest] = done(await ana.get("/audit?type=project.created"), 200)["items"]
        assert newest["data"]["key"] == "NEW"
        await change_plan(ana, "BASIC")
        assert len(done(await ana.get("/audit?type=project.created"), 200)["items"]) == 2

    async def test_asking_for_what_is_before_the_window_is_refused_with_what_would_help(
        self, ana: Person, clock: MovableClock
    ) -> None:
        past = clock() - timedelta(days=120)
        at = past.isoformat().replace("+00:00", "Z")
        for asked in ("since", "until"):
            problem = refused(await ana.get(f"/audit?{asked}={at}"), 402, "plan_limit")
            assert problem.items() >= {
                "what": "audit_days", "limit": 90, "used": 121, "upgradeTo": "BASIC",
            }.items()  # fmt: skip
        await change_plan(ana, "PREMIUM")
        assert done(await ana.get(f"/audit?since={at}"), 200)["items"]

    async def test_pages_of_the_log_go_on_although_the_window_moves(
        self, ana: Person, clock: MovableClock
    ) -> None:
        for key in ("ONE", "TWO", "THREE"):
            await ana.project(key)
        first = done(await ana.get("/audit?type=project.created&limit=2"), 200)
        clock.ahead = timedelta(seconds=30)
        path = f"/audit?type=project.created&limit=2&cursor={first['nextCursor']}"

        assert len(done(await ana.get(path), 200)["items"]) == 1

    async def test_an_export_is_whole_whatever_the_plan(
        self, ana: Person, clock: MovableClock
    ) -> None:
        await ana.project()
        clock.ahead = timedelta(days=91)
        ana.token = await log_in(ana.client, ana.email)

        assert "project.created" in (await ana.get("/audit/export")).text
