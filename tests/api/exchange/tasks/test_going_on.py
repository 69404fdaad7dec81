"""An import whose process ended goes on in another one."""

import asyncio
from typing import NamedTuple

import pytest
from litestar import Litestar

from api.exchange.tasks.import_lease import ImportLease, ImportLost
from api.exchange.tasks.progress import (
    ImportJournal,
)
from api.exchange.tasks.resuming import InterruptedImports
from domain.identity.organization.membership import Role
from eventstore.operations.records import ImportState
from runtime.system import System
from tests.api.conftest import Make
from tests.api.connection.serving import eventually
from tests.api.exchange.streams import member
from tests.api.exchange.task_files import imported, in_lines, origins, until_ended
from tests.api.exchange.tasks.interrupting import interrupted, requests_of, running
from tests.api.stage import Json, Person, another_device, done

MANY = in_lines(*({"id": f"{n}", "title": "Many"} for n in range(200)))


async def with_a_key(person: Person) -> Person:
    """Return *person* with an API key that they have made."""
    scopes = {"task": ["read", "create"], "project": ["read"]}
    key = done(await person.post("/apikey", {"name": "Import", "scopes": scopes}), 201)
    known = {"id": person.id, "organizationId": person.org_id}
    return Person(another_device(person), person.email, known, key["key"])


async def test_an_import_whose_process_ended_goes_on_once_however_many_processes_look(
    app: Litestar, make_app: Make, system: System, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await ana.project()
    tasks = [{"id": f"{n}", "title": "Many"} for n in range(200)]
    tasks[3]["title"] = ""
    tasks[7]["parent"] = "150"
    await imported(ana, project, in_lines(*tasks[10:20]))
    path = f"/project/{project['id']}/import"
    begun = await interrupted(app, ana, path, in_lines(*tasks), monkeypatch)
    others = [make_app(), make_app()]

    await asyncio.gather(*(InterruptedImports(requests_of(each)).go_on() for each in others))
    shown = done(await ana.get(f"/import/{begun['importId']}"), 200)
    ended = await until_ended(ana, begun["importId"])

    assert shown["done"] >= begun["done"]
    assert (ended["state"], ended["code"], ended["startedAt"]) == (
        "DONE",
        None,
        begun["startedAt"],
    )
    assert (ended["created"], ended["unchanged"], len(ended["refused"])) == (189, 10, 1)
    assert len(await origins(ana, project)) == 199
    created = done(await ana.get("/audit?type=task.created&limit=1"), 200)
    assert created["items"][0]["correlationId"] == begun["correlationId"]
    await eventually(lambda: not [*(system.settings.data_dir / "files").rglob(begun["importId"])])
    for each in others:
        await requests_of(each).api.background.close()


async def test_an_import_does_not_go_on_for_somebody_who_logged_out(
    app: Litestar, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await ana.project()
    begun = await interrupted(app, ana, f"/project/{project['id']}/import", MANY, monkeypatch)
    done(await ana.post("/auth/logout"), 204)

    await InterruptedImports(requests_of(app)).go_on()

    found = await requests_of(app).api.system.operations.import_of(ana.org_id, begun["importId"])
    assert found is not None
    assert (found.state, found.code, found.created) == (ImportState.STOPPED, "unauthorized", 100)


async def test_an_import_does_not_go_on_in_a_project_on_hold_or_without_its_file(
    app: Litestar, system: System, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, other = await ana.project(), await ana.project("OPS")
    begun = [
        await interrupted(app, ana, f"/project/{each['id']}/import", MANY, monkeypatch)
        for each in (held, other)
    ]
    done(await ana.post(f"/project/{held['id']}/hold"), 200)
    [kept] = (system.settings.data_dir / "files").rglob(begun[1]["importId"])
    kept.unlink()

    await InterruptedImports(requests_of(app)).go_on()
    ended = [await until_ended(ana, each["importId"]) for each in begun]

    assert [each["code"] for each in ended] == ["project_on_hold", "import_file_gone"]
    assert [each["done"] for each in ended] == [100, 100]


async def test_a_kept_file_that_cannot_be_read_stops_its_import_and_no_other(
    app: Litestar, system: System, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await ana.project(), await ana.project("OPS")
    begun = [
        await interrupted(app, ana, f"/project/{each['id']}/import", MANY, monkeypatch)
        for each in (one, two)
    ]
    [kept] = (system.settings.data_dir / "files").rglob(begun[0]["importId"])
    kept.write_bytes(b"broken\n")

    await InterruptedImports(requests_of(app)).go_on()
    ended = [await until_ended(ana, each["importId"]) for each in begun]

    assert [each["code"] for each in ended] == ["interrupted", None]
    assert [each["done"] for each in ended] == [100, 200]


async def test_an_import_that_an_api_key_began_goes_on_while_the_key_is_good(
    app: Litestar, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await ana.project()
    by_key = await with_a_key(ana)
    path = f"/project/{project['id']}/import"
    begun = await interrupted(app, by_key, path, MANY, monkeypatch)

    await InterruptedImports(requests_of(app)).go_on()
    ended = await until_ended(ana, begun["importId"])

    assert (ended["state"], ended["created"]) == ("DONE", 200)


async def test_an_import_ends_and_says_why_once_its_key_is_revoked(
    app: Litestar, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await ana.project()
    by_key = await with_a_key(ana)
    path = f"/project/{project['id']}/import"
    begun = await interrupted(app, by_key, path, MANY, monkeypatch)
    [key] = done(await ana.get("/apikey"), 200)["items"]
    done(await ana.delete(f"/apikey/{key['id']}"), 204)

    await InterruptedImports(requests_of(app)).go_on()
    ended = await until_ended(ana, begun["importId"])

    assert (ended["state"], ended["code"]) == ("STOPPED", "api_key_revoked")
    assert (ended["done"], len(await origins(ana, project))) == (100, 100)


class Lost(NamedTuple):
    """How somebody loses the right to an import, begun by a key of theirs or not, and its code."""

    method: str
    path: str
    body: Json | None
    code: str
    by_key: bool = False


MEMBER = "/org/{org}/members/{user}"
DEMOTED, HIDDEN = {"role": "MEMBER"}, {"visibility": "PRIVATE"}


@pytest.mark.parametrize(
    "lost",
    [
        Lost("DELETE", MEMBER, None, "no_organization"),
        Lost("DELETE", MEMBER, None, "api_key_without_owner", by_key=True),
        Lost("PATCH", MEMBER, DEMOTED, "too_many_tasks"),
        Lost("PATCH", MEMBER, DEMOTED, "not_permitted", by_key=True),
        Lost("PATCH", "/project/{project}", HIDDEN, "not_found"),
        Lost("PATCH", "/project/{project}", HIDDEN, "not_found", by_key=True),
    ],
)
async def test_an_import_ends_and_says_why_once_its_user_may_not_do_it(
    app: Litestar, system: System, ana: Person, monkeypatch: pytest.MonkeyPatch, lost: Lost
) -> None:
    project = await ana.project()
    ben = await member(app, system, ana, Role.MANAGER)
    begins = await with_a_key(ben) if lost.by_key else ben
    path = f"/project/{project['id']}/import"
    begun = await interrupted(app, begins, path, MANY, monkeypatch)
    place = lost.path.format(org=ana.org_id, user=ben.id, project=project["id"])
    answer = await ana.ask(lost.method, place, json=lost.body)
    assert answer.status_code in {200, 204}, answer.text

    await InterruptedImports(requests_of(app)).go_on()
    ended = await until_ended(ana, begun["importId"])

    assert (ended["state"], ended["code"]) == ("STOPPED", lost.code)
    assert (ended["done"], len(await origins(ana, project))) == (100, 100)


@pytest.mark.parametrize("by_hand", [False, True])
async def test_what_an_import_did_before_it_was_interrupted_counts(
    app: Litestar, ana: Person, monkeypatch: pytest.MonkeyPatch, by_hand: bool
) -> None:
    project = await ana.project()
    before: list[Json] = [{"id": f"{n}", "title": "Old"} for n in range(50)]
    link: Json = {"type": "relation", "kind": "blocks"}
    links = [link | {"task": f"{n}", "to": f"{n + by}"} for by in (1, 2) for n in range(30)]
    tasks, _ = await imported(ana, project, in_lines(*before))
    await imported(ana, project, in_lines(links[0]))
    after = [one | {"title": "New"} for one in before[:40]] + before[40:]
    path = f"/project/{project['id']}/import?existing=update"
    begun = await interrupted(app, ana, path, in_lines(*after, *links), monkeypatch)
    done(await ana.patch(f"/task/{tasks['45']['id']}", {"priority": "HIGH"}), 200)

    if by_hand:
        done(await ana.post(f"/import/{begun['importId']}/resume"), 202)
    else:
        await InterruptedImports(requests_of(app)).go_on()
    ended = await until_ended(ana, begun["importId"])

    assert (ended["state"], ended["done"]) == ("DONE", 110)
    assert (ended["updated"], ended["created"], ended["unchanged"]) == (40, 59, 11)


async def test_of_two_runs_of_an_import_only_the_one_with_the_lease_tells_of_it(
    system: System,
) -> None:
    progress = running(system.clock(), created=3)
    one, two = (ImportLease(system.operations, progress.id) for _ in range(2))
    journal = ImportJournal(system, progress, one)
    assert await one.take()
    assert not await two.take()
    await one.drop()
    assert await two.take()

    for tell in (journal.pause, journal.end):
        with pytest.raises(ImportLost):
            await tell()

    assert await system.operations.import_of(progress.org, progress.id) is None
    await two.drop()
