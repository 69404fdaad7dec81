"""Making a fork: once, whole, and for those who may see it."""

from uuid import UUID

import pytest
from litestar import Litestar

from cli.failure import CommandFailed
from cli.upkeep.forking import Fork
from commands.lint.walk import lint_log
from domain.base import NotFound, OrgId
from domain.identity.organization.membership import Role
from domain.identity.organization.state import Organization
from eventstore.append import ConcurrencyConflict
from files.open import open_files
from files.store import FileKey
from runtime.system import System
from tests.api.exchange.streams import member
from tests.api.fork.filled import seen
from tests.api.fork.forks import begun, end, enter, expected_in, make, without_event_ids
from tests.api.stage import Person, done, refused


async def test_a_fork_that_was_killed_goes_on_where_it_was(
    system: System, filled: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commands.fork.survey.COPIED_AT_ONCE", 20)
    before, killed = await seen(filled), begun(system, filled)
    await killed.begin("")
    await killed.survey.read()
    assert await killed.copy_some()
    assert await killed.copy_some()
    with pytest.raises(NotFound):
        await system.commands.states.fresh(Organization, killed.ids.fork, killed.ids.fork)
    done(await filled.post("/project", {"key": "LATE", "name": "Late"}), 201)

    again = Fork(system, OrgId(killed.ids.org_id), killed.subdomain)
    await again.begin("")
    assert again.ids.fork == killed.ids.fork
    assert again.copied == killed.copied > 0
    await end(again)

    assert [str(each) async for each in lint_log(system.log)] == []
    await enter(filled, again)
    after = without_event_ids(await seen(filled))
    expected = without_event_ids(expected_in(again, before))
    for path, shown in expected.items():
        assert after[path] == shown, path


async def test_of_two_who_make_the_same_fork_one_is_told(system: System, filled: Person) -> None:
    one, other = (begun(system, filled) for _ in range(2))
    other.subdomain = one.subdomain
    await one.begin("")
    await other.begin("")
    await one.survey.read()
    await other.survey.read()
    await one.copy_some()

    with pytest.raises(ConcurrencyConflict):
        await other.copy_some()

    await end(one)
    assert [str(each) async for each in lint_log(system.log)] == []


async def test_a_fork_goes_on_only_with_the_same_state(system: System, filled: Person) -> None:
    fork = begun(system, filled)
    await fork.begin("20")
    await fork.survey.read()
    await fork.copy_some()
    again = Fork(system, OrgId(fork.ids.org_id), fork.subdomain)

    with pytest.raises(CommandFailed, match="leave out --at"):
        await again.begin("21")

    await again.begin("20")


async def test_who_left_since_has_no_access_and_keeps_nothing(
    system: System, app: Litestar, ana: Person
) -> None:
    ben = await member(app, system, ana, Role.MANAGER)
    kim = await member(app, system, ana, Role.MEMBER)
    eva = await member(app, system, ana, Role.ADMIN)
    project = await ana.project()
    await ana.task(project, "Kim's", assignees=[kim.id])
    seq = await system.log.organization_head(OrgId(UUID(ana.org_id)))
    done(await ana.delete(f"/org/{ana.org_id}/members/{kim.id}"), 204)
    path = f"/org/{ana.org_id}/members"
    done(await ana.patch(f"{path}/{eva.id}", {"role": "MEMBER"}), 200)
    done(await ana.patch(f"{path}/{ben.id}", {"active": False}), 200)

    fork = await make(system, ana, str(seq))

    organization = await system.commands.states.fresh(
        Organization, fork.ids.fork, OrgId(fork.ids.fork)
    )
    roles = {str(each): organization.role_of(each) for each in organization.members}
    assert roles == {ana.id: Role.ADMIN, ben.id: None, eva.id: Role.MEMBER}
    asked = {"organizationId": str(fork.ids.fork)}
    for each in (ben, kim):
        refused(await each.post("/auth/switch-organization", asked), 404, "not_found")


async def test_a_fork_has_files_of_its_own(system: System, ana: Person) -> None:
    task = await ana.task(await ana.project())
    file = await ana.file(task["id"], b"what it says")

    fork = await make(system, ana)

    files = open_files(system.settings)
    await files.remove(FileKey(OrgId(UUID(ana.org_id)), UUID(file["id"])))
    await files.close()
    await enter(ana, fork)
    [copied] = done(await ana.get("/task"), 200)["items"]
    [shown] = done(await ana.get(f"/task/{copied['id']}/attachments"), 200)["items"]
    got = await ana.get(f"/task/{copied['id']}/attachments/{shown['id']}/content")
    assert got.content == b"what it says"
