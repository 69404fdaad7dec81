"""Authentication and access: decided on the event log at every request."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from litestar import Litestar

from api.http.caller import Access, Caller
from commands.key_check import KeyCheck
from domain.base import OrgId, UserId
from domain.identity.organization.membership import LeaveCause, MemberDeactivated, MemberLeft, Role
from domain.identity.user.events import LoginFailed, UserDeactivated
from eventstore.log import EventLog
from eventstore.sqlite import SqliteStore
from runtime.system import System
from security.sealing import DataKeys
from security.tokens import AccessClaims
from tests.api.identity.reading import note_reads
from tests.api.stage import PASSWORD, MovableClock, Person, done, join, refused, sign_up
from tests.spec import on, record


@pytest.fixture
async def elsewhere(system: System) -> AsyncIterator[EventLog]:
    """Give another handle on the log, as another process has."""
    path = system.settings.events_url.removeprefix("sqlite:///")
    keys = DataKeys(system.keys.master, system.keys.pepper)
    log = EventLog(SqliteStore(path, parts=system.log.parts), keys)
    await log.open()
    yield log
    await log.close()


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

    async def test_who_asks_again_is_not_looked_up_until_they_change(
        self, system: System, ana: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        profile = done(await ana.get("/auth/profile"), 200)
        reads = note_reads(monkeypatch, system.log.store)
        check, checks = Access.check, list[AccessClaims]()

        async def noted(access: Access, claims: AccessClaims, *about: Any) -> Caller:
            checks.append(claims)
            return await check(access, claims, *about)

        monkeypatch.setattr(Access, "check", noted)
        project = await ana.project()
        done(await ana.get(f"/project/{project['id']}"), 200)
        assert done(await ana.get("/auth/profile"), 200) == profile
        assert "heads" not in reads
        assert not checks
        done(await ana.patch("/user/me", {"name": "Ana II"}), 200)
        assert done(await ana.get("/auth/profile"), 200) == {**profile, "name": "Ana II"}
        assert checks

    async def test_a_caller_is_remembered_by_the_versions_they_were_identified_from(
        self, system: System, elsewhere: EventLog, ana: Person
    ) -> None:
        states, now, sent = system.commands.states, system.clock(), b"Bearer of Ana"
        access = Access(states, KeyCheck(states, system.log))
        claims, heads = system.keys.tokens.verify(ana.token, now), dict[UUID, int]()
        await access.check(claims, now, heads)
        await record(elsewhere, on(UUID(ana.id), LoginFailed()))

        await access.check(claims, now, heads, sent=sent)
        assert access.recall(sent, now, fresh=True) is None  # they were read before she changed
        assert access.recall(sent, now, fresh=False) is not None
        caller = await access.check(claims, now, {}, (uuid4(),), sent)

        known = access.recall(sent, now, fresh=True)
        assert known is not None
        assert access.recall(sent, now, fresh=False) is known
        states.cache.drop(UUID(ana.id))
        assert access.recall(sent, now, fresh=False) is None
        assert known.caller == caller
        org_id = UUID(ana.org_id)
        assert known.heads == caller.seen | {org_id: heads[org_id]}
        assert access.recall(b"Bearer of Ben", now, fresh=True) is None

    async def test_a_token_ends_in_time_although_nothing_is_written(
        self, ana: Person, clock: MovableClock
    ) -> None:
        for _ in range(2):
            done(await ana.get("/auth/profile"), 200)
        clock.ahead = timedelta(minutes=15, seconds=4)
        done(await ana.get("/auth/profile"), 200)  # clocks may differ by 5 s
        clock.ahead = timedelta(minutes=15, seconds=6)

        refused(await ana.get("/auth/profile"), 401, "token_expired")

    async def test_who_is_remembered_is_not_believed_with_a_second_credential(
        self, ana: Person
    ) -> None:
        for _ in range(2):
            done(await ana.get("/auth/profile"), 200)

        answer = await ana.get("/auth/profile", headers={"x-api-key": "tr_live_x"})

        refused(answer, 400, "malformed_request")

    async def test_another_handle_on_the_log_ends_what_is_remembered_of_a_caller(
        self, elsewhere: EventLog, ana: Person
    ) -> None:
        for _ in range(2):
            done(await ana.get("/auth/profile"), 200)
        await record(elsewhere, on(UUID(ana.id), UserDeactivated()))

        refused(await ana.get("/auth/profile"), 401, "unauthorized")

    async def test_a_session_ends_in_time_although_nothing_is_written(
        self, ana: Person, clock: MovableClock
    ) -> None:
        path = f"/org/{ana.org_id}/settings"
        done(await ana.patch(path, {"sessionIdle": 1_800}), 200)
        for minutes in (14, 28):  # no refresh, but a token that lives beyond the session
            clock.ahead = timedelta(minutes=minutes)
            proved = await ana.post("/auth/reauthenticate", {"password": PASSWORD})
            ana.token = done(proved, 200)["accessToken"]

        for _ in range(2):
            done(await ana.get("/auth/profile"), 200)
        clock.ahead = timedelta(minutes=31)
        refused(await ana.get("/auth/profile"), 401, "unauthorized")

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
