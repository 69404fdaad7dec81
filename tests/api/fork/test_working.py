"""What happens in a fork: nothing follows from what was copied, and all works that did."""

import asyncio
import json
from datetime import timedelta
from uuid import UUID

import pytest
from litestar import Litestar

from audit.proof.check import check_proof
from commands.lint.walk import lint_log
from domain.base import OrgId
from domain.identity.organization.membership import Role
from domain.work.attachment import Attachment, ScanState
from files.open import open_files
from files.scanner import scanner_of
from mail.letters import MAIL_TAGS, letter_of
from projections.engine.progress import Progress
from runtime.system import System
from tests.api.conftest import Make
from tests.api.exchange.streams import member
from tests.api.fork.forks import begun, end, enter, make
from tests.api.past.moments import then
from tests.api.stage import MovableClock, Person, client_of, done, refused
from tests.api.work.test_file_scans import HOOK
from workers.consequences.leaving import Leaving
from workers.consequences.losing_sight import LosingSight
from workers.consequences.purging import Purging
from workers.consequences.repeating import repeat_due_tasks
from workers.file_scans import FileScans


@pytest.fixture
async def followers(system: System, read_side: Progress) -> list[Leaving | LosingSight | Purging]:
    """Return what acts on events."""
    files = open_files(system.settings)
    return [
        Leaving(system, read_side),
        LosingSight(system, read_side),
        Purging(system, files, read_side),
    ]


async def test_nothing_follows_from_what_is_copied(
    system: System, filled: Person, followers: list[Leaving | LosingSight | Purging]
) -> None:
    for each in followers:
        await each.act()
    fork = begun(system, filled)
    await fork.begin("")
    await fork.copy(lambda *_: None)
    copied = await system.log.organization_head(fork.ids.fork)

    for each in followers:
        await each.act()
    await repeat_due_tasks(system)
    assert await system.log.organization_head(fork.ids.fork) == copied == fork.copied
    await fork.finish("")
    whole = await system.log.organization_head(fork.ids.fork)
    for each in followers:
        await each.act()
    assert await system.log.organization_head(fork.ids.fork) == whole
    mails = await _mailed(system, fork.ids.fork)
    assert mails == []


async def _mailed(system: System, org_id: OrgId) -> list[str]:
    """Return the letters that are sent because of events of an organization."""
    found: list[str] = []
    for row in await system.log.organization(org_id, 0, 1_000):
        if row.tag in MAIL_TAGS:
            [recorded] = await system.log.decoded([row])
            letter = await letter_of(system, recorded)
            found += [] if letter is None else [letter.subject]
    return found


async def test_a_former_member_is_let_go_of(
    system: System,
    app: Litestar,
    ana: Person,
    followers: list[Leaving | LosingSight | Purging],
) -> None:
    kim = await member(app, system, ana, Role.MEMBER)
    task = await ana.task(await ana.project(), "Kim's", assignees=[kim.id])
    done(await ana.delete(f"/org/{ana.org_id}/members/{kim.id}"), 204)
    seq = await _seq_of(ana, "task.created")

    fork = await make(system, ana, str(seq + 1))
    await enter(ana, fork)
    path = f"/task/{fork.ids.of(UUID(task['id']))}"
    assert done(await ana.get(path), 200)["assignees"] == [kim.id]
    for each in followers:
        await each.act()

    assert done(await ana.get(path), 200)["assignees"] == []
    assert [str(each) async for each in lint_log(system.log)] == []


async def _seq_of(person: Person, kind: str) -> int:
    [entry, *_] = done(await person.get(f"/audit?type={kind}"), 200)["items"]
    return int(entry["seq"])


async def test_work_goes_on_by_the_same_rules(system: System, ana: Person) -> None:
    project = await ana.project()
    size = {"key": "size", "name": "Size", "type": "text"}
    done(await ana.post(f"/project/{project['id']}/fields", size), 201)
    done(await ana.post("/label", {"name": "Bug", "color": "#ff0000"}), 201)
    first = await ana.task(project, "First")
    named = {"headers": {"x-correlation-id": "mistake"}}
    done(await ana.patch(f"/task/{first['id']}", {"title": "Spoilt"}, **named), 200)
    seq = await _seq_of(ana, "task.retitled")

    fork = await make(system, ana)
    await enter(ana, fork)

    copied = {"id": str(fork.ids.of(UUID(project["id"])))}
    assert (await ana.task(copied, "Second"))["number"] == 2
    path = f"/project/{copied['id']}/fields"
    refused(await ana.post(path, size), 409, "field_key_taken")
    refused(await ana.post("/label", {"name": "bug", "color": "#ff0000"}), 409, "label_name_taken")
    refused(await ana.post("/project", {"key": "ENG", "name": "X"}), 409, "project_key_taken")
    task = f"/task/{fork.ids.of(UUID(first['id']))}"
    assert (await then(ana, task, fork.survey.seq(seq) - 1))["title"] == "First"
    assert done(await ana.post("/undo/mistake"), 200)["undone"] == 1
    assert done(await ana.get(task), 200)["title"] == "First"
    [hit] = done(await ana.get("/search?q=First"), 200)["items"]
    assert fork.ids.of(UUID(first["id"])).hex in json.dumps(hit).replace("-", "")
    proof = done(await ana.get("/audit/proof/inclusion?seq=1"), 200)
    assert check_proof(json.dumps(proof).encode(), proof["vkey"]) is not None
    assert [str(each) async for each in lint_log(system.log)] == []


async def test_an_event_names_the_one_that_it_is_a_copy_of(system: System, ana: Person) -> None:
    await ana.task(await ana.project())
    [original] = done(await ana.get("/audit?type=task.created"), 200)["items"]
    assert "copyOf" not in original

    fork = await make(system, ana)

    [forked, *_] = done(await ana.get("/audit?type=log.forked"), 200)["items"]
    assert forked["data"] == {"organizationId": str(fork.ids.fork), "at": fork.at}
    await enter(ana, fork)
    [copied] = done(await ana.get("/audit?type=task.created"), 200)["items"]
    assert copied["copyOf"] == original["id"] != copied["id"]
    assert (copied["at"], copied["command"]) == (original["at"], original["command"])
    assert copied["correlationId"] == original["correlationId"]
    assert "ip" not in copied  # where the request came from is not copied
    [made] = done(await ana.get("/audit?type=organization.forked"), 200)["items"]
    assert made["data"]["fromOrganization"] == str(fork.ids.org_id)


async def test_an_inbox_begins_with_all_of_it_read(
    system: System, app: Litestar, ana: Person
) -> None:
    ben = await member(app, system, ana, Role.MEMBER)
    task = await ana.task(await ana.project(), "Ben's", assignees=[ben.id])
    done(await ana.patch(f"/task/{task['id']}", {"title": "Really Ben's"}), 200)
    assert done(await ben.get("/inbox"), 200)["unread"] > 0

    fork = await make(system, ana)
    await enter(ben, fork)

    inbox = done(await ben.get("/inbox"), 200)
    assert (len(inbox["items"]) > 0, inbox["unread"]) == (True, 0)


async def test_a_series_goes_on_in_the_fork(
    system: System, ana: Person, clock: MovableClock
) -> None:
    project = await ana.project()
    task = await ana.task(project, "Water it", dueDate="2026-11-30")
    done(await ana.ask("PUT", f"/task/{task['id']}/recurrence", json={"rrule": "FREQ=DAILY"}), 200)
    fork = await make(system, ana)
    await enter(ana, fork)
    path = f"/project/{fork.ids.of(UUID(project['id']))}/tasks"
    assert len(done(await ana.get(path), 200)["items"]) == 1

    clock.ahead = timedelta(days=40)
    await repeat_due_tasks(system)

    clock.ahead = timedelta()
    assert len(done(await ana.get(path), 200)["items"]) == 2
    done(await ana.post("/auth/switch-organization", {"organizationId": ana.org_id}), 200)
    original = done(await ana.get(f"/project/{project['id']}/tasks"), 200)["items"]
    assert len(original) == 2
    assert [str(each) async for each in lint_log(system.log)] == []


async def test_a_file_that_waited_for_the_scanner_is_scanned_in_the_fork(
    system: System, make_app: Make, ana: Person
) -> None:
    task = await ana.task(await ana.project())
    profile = {"id": ana.id, "organizationId": ana.org_id}
    eve = Person(client_of(make_app(scan_hook=HOOK)), ana.email, profile, ana.token)
    file = await eve.file(task["id"], b"good")
    fork = begun(system, ana)
    await fork.begin("")
    await fork.copy(lambda *_: None)
    files = open_files(system.settings)
    scans = FileScans(system, files, scanner_of(HOOK))
    head = await system.log.organization_head(fork.ids.fork)
    await scans.scan_due()
    assert await system.log.organization_head(fork.ids.fork) == head

    await end(fork)
    copied, state = fork.ids.of(UUID(file["id"])), ScanState.PENDING
    async with asyncio.timeout(20):  # what is recorded in several appends may be read in parts
        while state is ScanState.PENDING:
            await scans.scan_due()
            attachment = await system.commands.states.fresh(Attachment, copied, fork.ids.fork)
            state = attachment.state

    await files.close()
    assert state is ScanState.CLEAN
    assert [str(each) async for each in lint_log(system.log)] == []
