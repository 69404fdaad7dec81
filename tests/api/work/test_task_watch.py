"""Watching a task over HTTP."""

from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.stage import Person, done, join, refused, sign_up


class TestWatchers:
    async def test_members_watch_a_task_themselves_or_are_added(
        self, app: Litestar, system: System, ana: Person
    ) -> None:
        ben = await sign_up(app)
        await join(system, ben, ana.org_id, Role.MEMBER)
        made = await ana.task(await ana.project())

        assert made["watchers"] == [ana.id]
        added = done(await ana.post("/task/ENG-1/watchers", {"userId": ben.id}), 200)
        assert added["watchers"] == [ana.id, ben.id]
        gone = done(await ana.delete(f"/task/ENG-1/watchers/{ana.id}"), 200)
        assert gone["watchers"] == [ben.id]
        assert done(await ana.post("/task/ENG-1/watchers"), 200)["watchers"] == [ben.id, ana.id]

    async def test_a_stranger_cannot_watch_a_task(self, app: Litestar, ana: Person) -> None:
        stranger = await sign_up(app)
        await ana.task(await ana.project())

        refused(await ana.post("/task/ENG-1/watchers", {"userId": stranger.id}), 404, "not_found")
