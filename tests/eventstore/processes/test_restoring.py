"""What cannot all be there at once is restored whole or not at all, by clients of two processes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from commands.lint.walk import lint_log
from commands.plan_counts import counted_of
from domain.identity.plan import PLAN_LIMITS, Countable, Plan
from domain.work.label import Label, LabelCreated, LabelDeleted
from domain.work.project.events import ProjectCreated, ProjectDeleted
from domain.work.project.state import Project
from domain.work.team import Team, TeamCreated, TeamDeleted
from eventstore.log import EventLog
from eventstore.open import open_store
from tests.commands.acme import ACCOUNTS, CHILD, COMMENT, HERE, comment, task
from tests.domain.spec import ACME, ANA, NOW, TASK
from tests.eventstore.processes.outcomes import outcomes_of
from tests.eventstore.processes.restoring import COLOR, LABELS, PROJECTS, TEAMS
from tests.spec import folded, on, opened, record

PROCESSES = 2
FREE = PLAN_LIMITS[Plan.FREE]
GONE = (
    *(
        on(each, ProjectCreated(key=f"P{n}", name="One", created_by=ANA), ProjectDeleted())
        for n, each in enumerate(PROJECTS)
    ),
    *(on(each, TeamCreated(name="Gears", created_by=ANA), TeamDeleted()) for each in TEAMS),
    *(
        on(
            each,
            LabelCreated(name="Bug", color=COLOR, created_by=ANA, created_at=NOW),
            LabelDeleted(),
        )
        for each in LABELS
    ),
)
BELOW = (on(CHILD, task(2, parent=TASK)), on(COMMENT, comment(task_id=CHILD)))


@pytest.fixture(params=[1, PROCESSES])
def processes(request: pytest.FixtureRequest) -> int:
    """Give the number of processes that the clients are in."""
    found: int = request.param
    return found


@pytest.fixture
async def log(url: str) -> AsyncIterator[EventLog]:
    """Open a log with a task, and things in the trash of which few have room."""
    async with opened(await asyncio.to_thread(open_store, url)) as log:
        await record(log, *ACCOUNTS, *HERE)
        for past in (*GONE, *BELOW):
            await record(log, past)
        yield log


async def became(url: str, what: str, processes: int) -> Counter[str]:
    """Let the clients do *what*; return what became of their commands, and how often."""
    return await outcomes_of(
        "tests.eventstore.processes.restoring", [(url, what, str(n)) for n in range(processes)]
    )


async def findings(log: EventLog) -> list[str]:
    return [str(finding) async for finding in lint_log(log)]


@pytest.mark.servers
@pytest.mark.timeout(120)
async def test_the_plan_has_room_for_some_and_refuses_the_others(
    url: str, log: EventLog, processes: int
) -> None:
    found = await became(url, "projects", processes)

    states = [await folded(log, Project, each, ACME) for each in PROJECTS]
    here = [each for each in states if not each.deleted]
    assert found.keys() <= {"RestoreProject", "plan_limit", "conflict"}
    assert found["plan_limit"] > 0
    assert 1 + len(here) == FREE.projects
    assert await log.counted(counted_of(ACME, Countable.PROJECTS)) == [FREE.projects]
    assert await findings(log) == []


@pytest.mark.servers
@pytest.mark.timeout(120)
async def test_a_name_goes_to_one_and_the_others_stay_in_the_trash(
    url: str, log: EventLog, processes: int
) -> None:
    found = await became(url, "names", processes)

    teams = [await folded(log, Team, each, ACME) for each in TEAMS]
    labels = [await folded(log, Label, each, ACME) for each in LABELS]
    taken = {"team_name_taken", "label_name_taken"}
    done = {"RestoreTeam", "CreateTeam", "RestoreLabel", "CreateLabel"}
    assert found.keys() <= taken | done | {"conflict"}
    assert all(found[each] > 0 for each in taken)
    for back, made in ((teams, "CreateTeam"), (labels, "CreateLabel")):
        assert sum(not each.deleted for each in back) + found[made] == 1
    assert await log.counted(counted_of(ACME, Countable.TEAMS)) == [1]
    assert await findings(log) == []


@pytest.mark.servers
@pytest.mark.timeout(120)
async def test_nothing_comes_back_below_what_is_in_the_trash(
    url: str, log: EventLog, processes: int
) -> None:
    found = await became(url, "parents", processes)

    assert found["parent_in_trash"] > 0
    assert found.keys() <= {
        *("DeleteProject", "RestoreProject", "DeleteTask", "RestoreTask"),
        *("DeleteComment", "RestoreComment", "parent_in_trash", "not_found", "conflict"),
    }
    assert await findings(log) == []
