"""What is known about a person: they can have it, and they can have it erased."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from uuid import UUID

from litestar import Litestar
from msgspec.structs import replace

from commands.lint.walk import lint_log
from domain.base import PLATFORM, OrgId
from domain.identity.organization.membership import Role
from domain.identity.organization.state import Organization
from domain.identity.user.erasure import UserErased
from eventstore.engine.sqlite.driver import connect
from eventstore.log import EventLog
from projections.engine.progress import Progress
from runtime.log_guard import KeyForgetting
from runtime.system import System
from security.sealing import DataKeys
from tests.api.stage import (
    PASSWORD,
    MovableClock,
    Person,
    at_once,
    client_of,
    done,
    log_in,
    refused,
    sign_up,
    unique,
)
from workers.consequences.erasing import Erasing


class Guest(Person):
    """Somebody with a name that no other test uses."""

    name = ""


async def invited(app: Litestar, ana: Person) -> Guest:
    """Invite somebody, who joins the organization of *ana* by the link."""
    name = unique("Zebulon ")
    email = f"{unique('zq')}@canary.example"
    path = f"/org/{ana.org_id}/invitations"
    sent = done(await ana.post(path, {"email": email, "role": "MEMBER"}), 201)
    client = client_of(app)
    token = sent["link"].partition("#")[2]
    body = {"token": token, "name": name, "password": PASSWORD}
    entered = done(await client.post("/api/invitations/accept", json=body), 201)
    guest = Guest(client, email, entered["user"], entered["accessToken"])
    guest.name = name
    return guest


async def erase(system: System, read_side: Progress, person: Person) -> None:
    """Have *person* erased, and everything done that follows."""
    done(await person.delete("/user/me"), 204)
    await Erasing(system, read_side).act()


def read_models(system: System) -> Iterator[str]:
    """Yield every row of the read models."""
    with closing(connect(system.settings.data_dir / "readmodels.db")) as database:
        named = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'"
        for (table,) in database.execute(named).fetchall():
            yield from map(str, database.execute(f'SELECT * FROM "{table}"'))


class TestOwnData:
    async def test_everything_that_is_known_is_handed_out(self, app: Litestar, ana: Person) -> None:
        ben = await invited(app, ana)
        await log_in(ben.client, ben.email)
        done(await ben.patch("/user/me", {"timeZone": "Europe/Berlin"}), 200)

        data = done(await ben.get("/user/me/data"), 200)

        assert data["account"].items() >= {
            "id": ben.id, "email": ben.email, "name": ben.name, "timeZone": "Europe/Berlin",
        }.items()  # fmt: skip
        assert [(each["id"], each["role"]) for each in data["organizations"]] == [
            (ana.org_id, "MEMBER")
        ]
        assert {session["ip"] for session in data["sessions"]} == {"192.0.2.7"}
        assert data["knownNetworks"] == ["192.0.2.0/24"]
        types = [event["type"] for event in data["history"]]
        assert types[0] == "user.registered"
        assert {"user.profile_changed", "access.logged_in"} <= set(types)
        assert {event["ip"] for event in data["history"] if "ip" in event} == {"192.0.2.7"}
        assert ana.email not in str(data)

    async def test_api_keys_and_former_organizations_are_part_of_it(
        self, system: System, app: Litestar, ana: Person
    ) -> None:
        made = done(await ana.post("/apikey", {"name": "CI", "scopes": {"task": ["read"]}}), 201)
        ben = await invited(app, ana)
        await log_in(ben.client, ben.email)
        done(await ana.delete(f"/org/{ana.org_id}/members/{ben.id}"), 204)

        [key] = done(await ana.get("/user/me/data"), 200)["apiKeys"]
        assert (key["id"], key["organizationId"]) == (made["id"], ana.org_id)
        assert "key" not in key
        ben.token = await log_in(ben.client, ben.email)
        data = done(await ben.get("/user/me/data"), 200)
        assert data["organizations"] == []
        assert "access.logged_in" in [event["type"] for event in data["history"]]


class TestErasure:
    async def test_nothing_personal_is_left_anywhere(
        self, system: System, read_side: Progress, app: Litestar, ana: Person
    ) -> None:
        ben = await invited(app, ana)
        task = await ben.task(await ana.project())
        done(await ben.post(f"/task/{task['id']}/comments", {"body": "Done?"}), 201)
        done(await ben.patch("/user/me", {"name": f"{ben.name} II"}), 200)
        other = f"other-{unique()}@canary.example"
        done(await ana.post(f"/org/{ana.org_id}/invitations", {"email": other}), 201)
        assert ben.email in (await ana.get("/audit?limit=100")).text

        await erase(system, read_side, ben)

        refused(await ben.get("/auth/profile"), 401, "unauthorized")
        body = {"email": ben.email, "password": PASSWORD}
        refused(await ben.client.post("/api/auth/login", json=body), 401, "invalid_credentials")
        members = done(await ana.get(f"/org/{ana.org_id}/members"), 200)["items"]
        assert [member["userId"] for member in members] == [ana.id]
        shown = [
            (await ana.get(path)).text
            for path in (
                "/audit?limit=100",
                "/audit/export?format=jsonl",
                "/audit/export?format=csv",
                "/audit/export?format=ocsf",
                f"/org/{ana.org_id}/invitations",
                f"/task/{task['id']}/activity",
                f"/task/{task['id']}/comments",
            )
        ]
        whole = "\n".join([*shown, *read_models(system)])
        assert ben.id in whole
        assert other in whole
        assert "Done?" in whole
        assert ben.email not in whole
        assert ben.name not in whole
        assert await system.log.secrets(UUID(ben.id), PLATFORM) == {}

    async def test_another_process_forgets_the_key_and_reads_erased(
        self, system: System, read_side: Progress, app: Litestar, ana: Person
    ) -> None:
        ben = await invited(app, ana)
        elsewhere = EventLog(system.log.store, DataKeys(system.keys.master, system.keys.pepper))
        forgetting = KeyForgetting(replace(system, log=elsewhere))
        await forgetting.check()
        assert ben.name in repr(await elsewhere.stream(UUID(ben.id), PLATFORM))

        await erase(system, read_side, ben)
        await forgetting.check()

        found = await elsewhere.stream(UUID(ben.id), PLATFORM)
        assert ben.name not in repr(found)
        assert isinstance(found[-1].event, UserErased)

    async def test_the_history_still_agrees_with_its_tables_and_the_address_is_free(
        self, system: System, read_side: Progress, app: Litestar, ana: Person
    ) -> None:
        people = [await invited(app, ana) for _ in range(2)]
        for person in people:
            await erase(system, read_side, person)
        await Erasing(system, read_side).act()
        again = await sign_up(app, organization=False, email=people[0].email)

        assert again.id != people[0].id
        assert [finding async for finding in lint_log(system.log)] == []

    async def test_of_two_last_admins_one_stays(
        self, system: System, app: Litestar, ana: Person
    ) -> None:
        ben = await invited(app, ana)
        done(await ana.patch(f"/org/{ana.org_id}/members/{ben.id}", {"role": "ADMIN"}), 200)

        answers = await at_once(ana.delete("/user/me"), ben.delete("/user/me"))

        assert sorted(answer.status_code for answer in answers) == [204, 409]
        org_id = OrgId(UUID(ana.org_id))
        organization = await system.commands.states.fresh(Organization, org_id, org_id)
        assert [member.role for member in organization.members.values()] == [Role.ADMIN]

    async def test_it_needs_a_fresh_proof(self, ana: Person, clock: MovableClock) -> None:
        clock.ahead = timedelta(minutes=11)

        refused(await ana.delete("/user/me"), 403, "reauthentication_required")
