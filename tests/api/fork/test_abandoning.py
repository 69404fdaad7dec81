"""A fork that was never finished is given up, and nothing of it can be read any more."""

import json
from uuid import UUID

import pytest

from cli.upkeep.forking import abandon_fork
from commands.lint.walk import lint_log
from domain.base import ERASED, OrgId, ProjectId
from files.open import open_files
from files.store import FileKey, FileMissing
from projections.engine.progress import Progress
from projections.work.task_list import tasks_of_project
from runtime.system import System
from tests.api.fork.forks import begun, end, enter, make
from tests.api.stage import Person, done
from workers.consequences.purging import Purging


async def test_what_was_copied_is_purged_and_the_subdomain_is_free(
    system: System, ana: Person, read_side: Progress
) -> None:
    project = await ana.project()
    task = await ana.task(project, "Told")
    done(await ana.post(f"/task/{task['id']}/comments", {"body": "Said"}), 201)
    file = await ana.file(task["id"], b"what it says")
    rule = {"rrule": "FREQ=DAILY"}
    done(await ana.ask("PUT", f"/task/{task['id']}/recurrence", json=rule), 200)
    fork = begun(system, ana)
    await fork.begin("")
    await fork.copy(lambda *_: None)
    await fork.copy_files(lambda *_: None)
    org_id, files = OrgId(UUID(ana.org_id)), open_files(system.settings)

    assert await abandon_fork(system, org_id, fork.subdomain) is not None
    worker = Purging(system, files, read_side)
    for _ in ("the organization", "its project", "its task", "what is in that", "the file"):
        await worker.act()

    rows = await system.log.organization(fork.ids.fork, 0, 1_000)
    for recorded in await system.log.decoded(rows):
        assert not {"Told", "Said"} & set(map(str, _values(recorded.event)))
    copied = ProjectId(fork.ids.of(UUID(project["id"])))
    [shown] = (await tasks_of_project(worker.models, fork.ids.fork, copied, limit=9)).items
    assert json.loads(shown)["title"] == ERASED
    with pytest.raises(FileMissing):
        await files.size(FileKey(fork.ids.fork, fork.ids.of(UUID(file["id"]))))
    await files.close()
    [told] = done(await ana.get("/audit?type=log.fork_abandoned"), 200)["items"]
    assert told["data"] == {"organizationId": str(fork.ids.fork), "at": fork.at}
    assert [str(each) async for each in lint_log(system.log)] == []

    again = begun(system, ana)
    again.subdomain = fork.subdomain
    await again.begin("")
    await end(again)
    await enter(ana, again)
    assert again.ids.fork != fork.ids.fork
    [task] = done(await ana.get("/task"), 200)["items"]
    assert task["title"] == "Told"


async def test_what_is_whole_is_not_given_up(system: System, ana: Person) -> None:
    await ana.project()
    fork = await make(system, ana)

    assert await abandon_fork(system, OrgId(UUID(ana.org_id)), fork.subdomain) is None

    await enter(ana, fork)
    assert len(done(await ana.get("/project"), 200)["items"]) == 1


def _values(event: object) -> list[object]:
    return [getattr(event, each, ERASED) for each in ("title", "body", "name")]
