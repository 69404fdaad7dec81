"""An API key never exceeds its creator as they are now."""

from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar

from domain.base import OrgId, UserId
from domain.identity.organization.membership import (
    LeaveCause,
    MemberDeactivated,
    MemberLeft,
    MemberRoleChanged,
    Role,
)
from domain.identity.user.events import PasswordChanged, UserDeactivated
from runtime.system import System
from tests.api.keys import ask, change_plan, create
from tests.api.stage import (
    Person,
    done,
    join,
    refused,
    sign_up,
)
from tests.spec import on, record


class TestCreatorsAsTheyAreNow:
    @pytest.fixture
    async def ben(self, app: Litestar, system: System, ana: Person) -> Person:
        ben = await sign_up(app, organization=False)
        await join(system, ben, ana.org_id, Role.MANAGER)
        return ben

    async def test_a_key_of_a_demoted_creator_may_do_less_at_once(
        self, system: System, ana: Person, ben: Person
    ) -> None:
        key = (await create(ben))["key"]
        body = {"key": "ENG", "name": "Engine"}
        done(await ask(ben, key, "POST", "/project", json=body), 201)
        org = OrgId(UUID(ana.org_id))
        demoted = MemberRoleChanged(
            user_id=UserId(UUID(ben.id)), from_=Role.MANAGER, to=Role.MEMBER
        )
        await record(system.log, on(org, demoted, org_id=org))  # as by another process

        body = {"key": "OPS", "name": "Ops"}
        refused(await ask(ben, key, "POST", "/project", json=body), 403, "not_permitted")
        done(await ask(ben, key, "GET", "/project"), 200)

    @pytest.mark.parametrize("end", ["left", "suspended", "closed", "deleted"])
    async def test_a_key_ends_with_its_creators_access(
        self, system: System, ana: Person, ben: Person, end: str
    ) -> None:
        key = (await create(ben))["key"]
        done(await ask(ben, key, "GET", "/project"), 200)
        org, user = OrgId(UUID(ana.org_id)), UserId(UUID(ben.id))
        if end == "deleted":
            done(await ana.delete(f"/org/{ana.org_id}"), 204)
        else:
            event: Any = {
                "left": MemberLeft(user_id=user, cause=LeaveCause.REMOVED),
                "suspended": MemberDeactivated(user_id=user),
                "closed": UserDeactivated(),
            }[end]
            past = on(user, event) if end == "closed" else on(org, event, org_id=org)
            await record(system.log, past)

        body = {"key": "ENG", "name": "Engine"}
        refused(await ask(ben, key, "POST", "/project", json=body), 401, "api_key_without_owner")
        refused(await ask(ben, key, "GET", "/project"), 401, "api_key_without_owner")

    async def test_a_new_password_of_the_creator_ends_no_key(
        self, system: System, ben: Person
    ) -> None:
        key = (await create(ben))["key"]
        await record(system.log, on(UserId(UUID(ben.id)), PasswordChanged()))

        done(await ask(ben, key, "GET", "/project"), 200)

    async def test_a_member_gets_read_only_keys_on_a_paid_plan(
        self, app: Litestar, system: System, ana: Person
    ) -> None:
        cleo = await sign_up(app, organization=False)
        await join(system, cleo, ana.org_id, Role.MEMBER)
        reading, writing = {"task": ["read"]}, {"task": ["read", "edit"]}
        problem = refused(
            await cleo.post("/apikey", {"name": "CI", "scopes": reading}), 402, "plan_limit"
        )
        await change_plan(ana, "BASIC")

        assert problem["upgradeTo"] == "BASIC"
        answer = await cleo.post("/apikey", {"name": "CI", "scopes": writing})
        assert refused(answer, 403, "scope_not_allowed")["refused"] == ["task:edit"]
        await create(cleo, scopes=reading)
