"""Purging over HTTP and by time: the texts are gone from every store, the history stays."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar
from msgspec.structs import replace

from commands.lint.walk import lint_log
from domain.base import OrgId
from domain.identity.organization.membership import Role
from eventstore.engine.sqlite.driver import connect
from eventstore.log import EventLog
from files.open import open_files
from projections.engine.progress import Progress
from runtime.log_guard import KeyForgetting
from runtime.system import System
from security.sealing import DataKeys
from tests.api.stage import (
    DEADLINE_S,
    MovableClock,
    Person,
    done,
    join,
    log_in,
    refused,
    sign_up,
    unique,
)
from workers.consequences.expiring import purge_expired
from workers.consequences.purging import Purging

Json = dict[str, Any]


class Killed(Exception):
    """The worker was killed."""


def killed_after(calls: int, call: Callable[..., Awaitable[None]]) -> Callable[..., Any]:
    """Return *call*, which is the end of the worker after so many calls."""
    left = iter(range(calls))

    async def called(*about: Any) -> None:
        if next(left, None) is None:
            raise Killed
        await call(*about)

    return called


def org(person: Person) -> OrgId:
    return OrgId(UUID(person.org_id))


@asynccontextmanager
async def purging(system: System, read_side: Progress) -> AsyncIterator[Purging]:
    """Open what finishes a purge."""
    files = open_files(system.settings)
    try:
        yield Purging(system, files, read_side)
    finally:
        await files.close()


async def finish(system: System, read_side: Progress) -> None:
    """Purge everything that goes with what is purged."""
    async with purging(system, read_side) as worker:
        last = -1
        while last != (last := await system.log.last_position()):
            system.log.news.grown()  # as a wake-up says
            await worker.act()


def empty_write_ahead_log(system: System) -> None:
    """Do at once what the projector does within an hour; as it does, try again while it is busy."""
    until = time.monotonic() + DEADLINE_S
    with closing(connect(system.settings.data_dir / "readmodels.db")) as database:
        while time.monotonic() < until:
            [(is_busy, *_)] = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            if not is_busy:
                return
    raise AssertionError(f"the write-ahead log stayed in use for {DEADLINE_S} s")


def bytes_in(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of every file: databases, their logs, attachments."""
    for path in directory.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(directory)), path.read_bytes()


async def filled_project(person: Person, word: str) -> Json:
    """Create a project with something of each kind in it, all of which say *word*."""
    project = done(
        await person.post("/project", {"key": "ENG", "name": word, "description": word}), 201
    )
    path = f"/project/{project['id']}"
    days = {"startsOn": "2026-05-04", "endsOn": "2026-05-15"}
    sized = {"field": [f"size:{word}"]}
    for where, body in (
        ("/label", {"name": word, "color": "#ff0000", "projectId": project["id"]}),
        (f"{path}/cycles", {"name": word, **days}),
        (f"{path}/milestones", {"name": word}),
        (f"{path}/fields", {"key": "size", "name": word, "type": "text"}),
        ("/view", {"name": word, "projectId": project["id"], "filter": sized}),
        ("/template", {"name": word, "projectId": project["id"], "subtasks": [{"title": word}]}),
    ):
        done(await person.post(where, body), 201)
    task = await person.task(project, word, description=word, fields={"size": word})
    await person.task(project, f"{word} below", parentId=task["id"])
    await person.task(project, f"{word} deleted")
    for key in ("ENG-1", "ENG-2", "ENG-3"):
        done(await person.post(f"/task/{key}/comments", {"body": f"{word}?"}), 201)
        named = {"content-disposition": f"attachment; filename={word}.txt"}
        await person.file(key, f"{word} inside".encode(), **named)
    done(await person.patch("/task/ENG-1", {"title": f"{word} II"}), 200)
    done(await person.delete("/task/ENG-3"), 204)
    return dict(project)


async def told(person: Person) -> str:
    """Return everything that is told about the organization of *person*."""
    exports = [f"/audit/export?format={kind}" for kind in ("jsonl", "csv", "ocsf")]
    paths = ("/audit?limit=100", *exports)
    lists = ("/trash?limit=100", "/label", "/project", "/task", "/events?follow=false")
    return "\n".join([(await person.get(path)).text for path in (*paths, *lists)])


class TestPurgeNow:
    async def test_nothing_of_a_purged_project_is_left_anywhere(
        self, system: System, read_side: Progress, ana: Person
    ) -> None:
        word = unique("canary")
        project = await filled_project(ana, word)
        other = await ana.project("OPS")
        assert word in await told(ana)
        done(await ana.delete("/project/ENG"), 204)
        assert done(await ana.get(f"/org/{ana.org_id}/usage"), 200)["used"]["tasks"] == 0

        done(await ana.delete(f"/trash/project/{project['id']}"), 204)
        await finish(system, read_side)

        shown = await told(ana)
        assert other["id"] in shown
        assert "project.purged" in shown
        assert word not in shown
        assert done(await ana.get(f"/search?q={word}"), 200)["items"] == []
        assert done(await ana.get("/trash"), 200)["items"] == []
        refused(await ana.post("/project/ENG/restore"), 404, "not_found")
        refused(await ana.post("/task/ENG-3/restore"), 404, "not_found")
        used = done(await ana.get(f"/org/{ana.org_id}/usage"), 200)["used"]
        assert (used["tasks"], used["customFields"], used["storageBytes"]) == (0, 0, 0)
        empty_write_ahead_log(system)
        held = [
            name for name, found in bytes_in(system.settings.data_dir) if word.encode() in found
        ]
        assert held == []
        assert [str(found) async for found in lint_log(system.log)] == []

    async def test_the_export_still_verifies(
        self, system: System, read_side: Progress, ana: Person
    ) -> None:
        await ana.task(await ana.project(), "Canary")
        done(await ana.delete("/task/ENG-1"), 204)
        [item] = done(await ana.get("/trash"), 200)["items"]
        done(await ana.delete(f"/trash/task/{item['id']}"), 204)

        lines = (await ana.get("/audit/export?format=jsonl")).text.splitlines()
        purged = [json.loads(line) for line in lines if "task.purged" in line]
        assert purged
        assert "Canary" not in "".join(lines)

    async def test_only_admins_purge_and_never_what_another_organization_has(
        self, ana: Person, dan: Person, app: Litestar, system: System
    ) -> None:
        ben = await sign_up(app, organization=False)
        await join(system, ben, ana.org_id, Role.MANAGER)
        task = await ana.task(await ana.project())
        path = f"/trash/task/{task['id']}"
        refused(await ana.delete(path), 404, "not_found")
        done(await ana.delete("/task/ENG-1"), 204)

        refused(await ben.delete(path), 403, "not_permitted")
        refused(await dan.delete(path), 404, "not_found")
        refused(await ana.delete(f"/trash/comment/{task['id']}"), 404, "not_found")
        done(await ana.delete(path), 204)
        refused(await ana.delete(path), 404, "not_found")

    async def test_another_process_forgets_the_key_and_reads_erased(
        self, system: System, ana: Person
    ) -> None:
        task = await ana.task(await ana.project(), "Canary")
        task_id = UUID(task["id"])
        elsewhere = EventLog(system.log.store, DataKeys(system.keys.master, system.keys.pepper))
        forgetting = KeyForgetting(replace(system, log=elsewhere))
        await forgetting.check()
        assert "Canary" in repr(await elsewhere.stream(task_id, org(ana)))
        done(await ana.delete("/task/ENG-1"), 204)
        done(await ana.delete(f"/trash/task/{task['id']}"), 204)

        await forgetting.check()
        assert "Canary" not in repr(await elsewhere.stream(task_id, org(ana)))


class TestPurgeByTime:
    async def test_what_the_plan_no_longer_keeps_is_purged_because_of_its_deletion(
        self, system: System, read_side: Progress, ana: Person, clock: MovableClock
    ) -> None:
        project = await ana.project()
        task = await ana.task(project, "Canary")
        await ana.task(project, "Kept")
        done(await ana.delete("/task/ENG-1"), 204)
        clock.ahead = timedelta(days=20)
        ana.token = await log_in(ana.client, ana.email)
        done(await ana.delete("/task/ENG-2"), 204)
        [_, old] = done(await ana.get("/trash"), 200)["items"]
        assert await purge_expired(system) == 0
        clock.ahead = timedelta(days=31)

        assert await purge_expired(system) >= 1
        assert await purge_expired(system) == 0
        ana.token = await log_in(ana.client, ana.email)
        await finish(system, read_side)

        events = await system.log.stream(UUID(task["id"]), org(ana))
        deleted, purged = events[-2:]
        assert [each.tag for each in (deleted, purged)] == ["task.deleted", "task.purged"]
        assert purged.metadata.causation_id == deleted.id
        assert old["purgeAt"] < purged.at.isoformat()
        [kept] = done(await ana.get("/trash"), 200)["items"]
        assert kept["name"] == "Kept"


async def purged_in(system: System, person: Person) -> list[UUID]:
    """Return what was purged in the organization of *person*, in order."""
    events = await system.log.organization(org(person), 0, 1_000)
    return [row.stream_id for row in events if row.tag.endswith(".purged")]


class TestInterruption:
    async def test_a_purge_that_stopped_in_the_middle_is_finished_and_does_nothing_twice(
        self, system: System, read_side: Progress, ana: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        word = unique("canary")
        project = await filled_project(ana, word)
        done(await ana.delete("/project/ENG"), 204)
        done(await ana.delete(f"/trash/project/{project['id']}"), 204)
        for stop_after in range(4):
            async with purging(system, read_side) as worker:
                monkeypatch.setattr(worker, "follow_up", killed_after(stop_after, worker.follow_up))
                with pytest.raises(Killed):
                    await worker.act()

        await finish(system, read_side)
        await finish(system, read_side)

        purged = await purged_in(system, ana)
        assert len(purged) == len({*purged}) == 1 + 3 + 3 + 3 + 6
        assert word not in await told(ana)
