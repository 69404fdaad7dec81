"""A legal hold over HTTP: nothing is purged, no member erased, until it is lifted."""

from datetime import timedelta
from uuid import UUID

from litestar import Litestar

from domain.identity.organization.membership import Role
from projections.engine.progress import Progress
from runtime.system import System
from tests.api.stage import MovableClock, Person, done, join, log_in, refused, sign_up, unique
from tests.api.work.trash.test_purge import filled_project, finish, org, purged_in, told
from workers.consequences.expiring import purge_expired


class TestLegalHold:
    async def test_a_legal_hold_keeps_everything_until_it_is_lifted(
        self, system: System, ana: Person, clock: MovableClock
    ) -> None:
        task = await ana.task(await ana.project(), "Canary")
        done(await ana.delete("/task/ENG-1"), 204)
        hold = f"/org/{ana.org_id}/legal-hold"
        put = {"reason": "Acme v. Apex"}
        refused(await ana.ask("PUT", hold, json=put), 402, "plan_limit")
        done(await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "PREMIUM"}), 200)
        done(await ana.ask("PUT", hold, json=put), 204)
        done(await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "FREE"}), 200)
        refused(await ana.delete(f"/trash/task/{task['id']}"), 409, "legal_hold")
        [held] = done(await ana.get("/trash"), 200)["items"]
        assert held["purgeAt"] is None
        clock.ahead = timedelta(days=400)
        before = await system.log.heads({UUID(task["id"]): org(ana)})
        await purge_expired(system)
        assert await system.log.heads({UUID(task["id"]): org(ana)}) == before

        ana.token = await log_in(ana.client, ana.email)
        done(await ana.delete(hold), 204)
        await purge_expired(system)
        events = await system.log.stream(UUID(task["id"]), org(ana))
        assert events[-1].tag == "task.purged"

    async def test_a_hold_stops_a_purge_that_has_begun_and_lifting_it_lets_that_go_on(
        self, system: System, read_side: Progress, ana: Person
    ) -> None:
        word = unique("canary")
        project = await filled_project(ana, word)
        done(await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "PREMIUM"}), 200)
        done(await ana.delete("/project/ENG"), 204)
        done(await ana.delete(f"/trash/project/{project['id']}"), 204)
        hold = f"/org/{ana.org_id}/legal-hold"
        done(await ana.ask("PUT", hold, json={"reason": "Acme v. Apex"}), 204)

        await finish(system, read_side)

        assert await purged_in(system, ana) == [UUID(project["id"])]
        assert word in (await ana.get("/audit/export?format=jsonl")).text
        done(await ana.delete(hold), 204)
        await finish(system, read_side)
        assert len(await purged_in(system, ana)) == 1 + 3 + 3 + 3 + 6
        assert word not in await told(ana)
        assert not list((system.settings.data_dir / "files").rglob(f"*{ana.org_id}*/*"))

    async def test_an_organization_under_a_hold_refuses_to_have_a_member_erased(
        self, app: Litestar, system: System, ana: Person
    ) -> None:
        ben = await sign_up(app, organization=False)
        await join(system, ben, ana.org_id, Role.MEMBER)
        done(await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "PREMIUM"}), 200)
        hold = f"/org/{ana.org_id}/legal-hold"
        done(await ana.ask("PUT", hold, json={"reason": "Acme v. Apex"}), 204)

        refused(await ben.delete("/user/me"), 409, "legal_hold")

        done(await ana.delete(hold), 204)
        done(await ben.delete("/user/me"), 204)
        await ben.client.aclose()
