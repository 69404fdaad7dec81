"""What was imported and is purged stays imported, and the log agrees with its tables."""

from datetime import timedelta

from commands.lint.walk import lint_log
from runtime.system import System
from tests.api.exchange.archives import A, file_line, packed
from tests.api.exchange.task_files import imported
from tests.api.stage import MovableClock, Person, done
from workers.consequences.expiring import purge_expired


async def test_what_is_purged_beside_a_task_leaves_its_external_id_taken(
    system: System, ana: Person, clock: MovableClock
) -> None:
    project = await ana.project()
    comment = {"type": "comment", "id": "c1", "task": "a", "body": "Done?"}
    spent = {"type": "worklog", "id": "w1", "task": "a", "minutes": 5, "date": "2026-02-27"}
    body = packed(A, comment, spent, file_line("f1"), f1=b"oil")
    tasks, _ = await imported(ana, project, body, "?format=zip")
    path = f"/task/{tasks['a']['id']}"
    for kind in ("comments", "worklogs", "attachments"):
        [thing] = done(await ana.get(f"{path}/{kind}"), 200)["items"]
        done(await ana.delete(f"{path}/{kind}/{thing['id']}"), 204)
    clock.ahead = timedelta(days=100)

    assert await purge_expired(system) >= 1

    clock.ahead = timedelta()
    assert [str(found) async for found in lint_log(system.log)] == []
    _, again = await imported(ana, project, body, "?format=zip")
    assert (again["created"], again["unchanged"]) == (0, 4)
