"""Authentication and access: decided on the event log at every request."""

from uuid import UUID

from litestar import Litestar

from domain.base import OrgId, UserId
from domain.identity.organization.membership import LeaveCause, MemberDeactivated, MemberLeft, Role
from domain.identity.user.events import LoginFailed, UserDeactivated
from runtime.system import System
from tests.api.stage import Person, done, join, refused, sign_up
from tests.spec import on, record


class TestAccess:
    async def test_access_ends_with_the_account_although_the_token_is_valid(
        self, system: System, ana: Person
    ) -> None:
        project = await ana.project()
        await record(system.log, on(UUID(ana.id), UserDeactivated()))

        # Recorded by another process, so the cache of this one is outdated.
        command = await ana.post(f"/project/{project['id']}/tasks", {"title": "Late"})
        refused(command, 401, "unauthorized")
        refused(await ana.get("/user/me"), 401, "unauthorized")

    async def test_access_is_suspended_with_the_membership(
        self, system: System, app: Litestar, ana: Person
    ) -> None:
        ben = await sign_up(app, organization=False)
        await join(system, ben, ana.org_id, Role.MEMBER)
        project = await ana.project()
        path = f"/project/{project['id']}/tasks"
        done(await ben.post(path, {"title": "Oil it"}), 201)
        done(await ana.patch(f"/org/{ana.org_id}/members/{ben.id}", {"active": False}), 200)

        refused(await ben.get("/project"), 403, "membership_suspended")
        refused(await ben.post(path, {"title": "Late"}), 403, "membership_suspended")

        done(await ana.patch(f"/org/{ana.org_id}/members/{ben.id}", {"active": True}), 200)
        done(await ben.post(path, {"title": "Back"}), 201)

    async def test_a_command_is_refused_although_the_cached_membership_is_active(
        self, system: System, app: Litestar, ana: Person
    ) -> None:
        ben = await sign_up(app, organization=False)
        await join(system, ben, ana.org_id, Role.MEMBER)
        project = await ana.project()
        path = f"/project/{project['id']}/tasks"
        made = await ben.post(path, {"title": "Oil it"})
        after = {"x-min-position": made.headers["x-position"]}
        org = OrgId(UUID(ana.org_id))
        suspended = MemberDeactivated(user_id=UserId(UUID(ben.id)))
        await record(system.log, on(org, suspended, org_id=org))

        assert (await ben.post(path, {"title": "Late"})).status_code in (403, 404)
        assert len(done(await ana.get(path, headers=after), 200)["items"]) == 1

    async def test_a_command_succeeds_if_only_the_account_has_changed(
        self, system: System, ana: Person
    ) -> None:
        project = await ana.project()
        await record(system.log, on(UUID(ana.id), LoginFailed()))

        done(await ana.post(f"/project/{project['id']}/tasks", {"title": "Oil it"}), 201)

    async def test_a_command_without_effect_shows_nothing_to_a_revoked_caller(
        self, system: System, ana: Person
    ) -> None:
        made = await ana.task(await ana.project())
        await record(system.log, on(UUID(ana.id), UserDeactivated()))

        same = await ana.patch("/task/ENG-1", {"title": made["title"]})
        refusal = await ana.post("/task/ENG-1/status", {"status": "DONE"})

        refused(same, 401, "unauthorized")
        refused(refusal, 401, "unauthorized")

    async def test_a_user_who_left_has_no_organization(
        self, system: System, app: Litestar, ana: Person
    ) -> None:
        ben = await sign_up(app, organization=False)
        await join(system, ben, ana.org_id, Role.MANAGER)
        org = OrgId(UUID(ana.org_id))
        left = MemberLeft(user_id=UserId(UUID(ben.id)), cause=LeaveCause.LEFT)
        await record(system.log, on(org, left, org_id=org))

        me = done(await ben.get("/user/me"), 200)
        assert (me["organizationId"], me["role"], me["organization"]) == (None, None, None)
        refused(await ben.get("/project"), 409, "no_organization")
        refused(await ben.post("/project", {"key": "ENG", "name": "E"}), 409, "no_organization")

    async def test_each_role_may_do_what_the_permission_table_grants(
        self, system: System, app: Litestar, ana: Person
    ) -> None:
        ben = await sign_up(app, organization=False)
        await join(system, ben, ana.org_id, Role.MEMBER)
        project = await ana.project()

        refused(await ben.post("/project", {"key": "OPS", "name": "O"}), 403, "not_permitted")
        refused(await ben.post(f"/project/{project['id']}/archive"), 403, "not_permitted")
        refused(await ben.get("/webhook"), 403, "not_permitted")
        refused(await ben.get("/audit"), 403, "not_permitted")
        done(await ben.get("/project"), 200)
        done(await ben.task(project) and await ben.get("/task/ENG-1"), 200)
