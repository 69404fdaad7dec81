"""The filter ``cycle=current``: the cycles that run on the day."""

from datetime import timedelta

from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.keys import ask, create
from tests.api.stage import Json, MovableClock, Person, done, join, log_in, sign_up

DAY = timedelta(days=1)


async def cycle(person: Person, project: str, begins: str, ends: str) -> str:
    body = {"name": f"{project} {begins}", "startsOn": begins, "endsOn": ends}
    made: str = done(await person.post(f"/project/{project}/cycles", body), 201)["id"]
    return made


async def titles(person: Person, path: str) -> list[str]:
    return [task["title"] for task in done(await person.get(path), 200)["items"]]


async def wait(ana: Person, clock: MovableClock, days: int) -> None:
    """Let days go by, after which Ana logs in again."""
    clock.ahead += days * DAY
    ana.token = await log_in(ana.client, ana.email)


async def planned(ana: Person, clock: MovableClock) -> list[Json]:
    """Return two projects with tasks in cycles that ended, run, follow, and in none."""
    today = clock().date()
    projects = [await ana.project(), await ana.project("OPS")]
    for project, key in zip(projects, ("ENG", "OPS"), strict=True):
        spans = {"past": (-9, -3), "now": (-2, 2), "later": (3, 9)}
        for name, (first, last) in spans.items():
            days = str(today + first * DAY), str(today + last * DAY)
            await ana.task(project, f"{key} {name}", cycleId=await cycle(ana, key, *days))
        await ana.task(project, f"{key} never")
    return projects


async def test_the_current_cycle_is_the_one_that_runs_today(
    ana: Person, clock: MovableClock
) -> None:
    await planned(ana, clock)

    for days, found in ((0, "now"), (2, "now"), (1, "later"), (6, "later")):
        await wait(ana, clock, days)
        assert await titles(ana, "/project/ENG/tasks?cycle=current") == [f"ENG {found}"]
        both = await titles(ana, "/task?cycle=current&sort=key")
        assert both == [f"ENG {found}", f"OPS {found}"]
    await wait(ana, clock, 1)
    assert await titles(ana, "/task?cycle=current") == []
    assert await titles(ana, "/task?cycle=none&sort=key") == ["ENG never", "OPS never"]


async def test_the_current_cycle_can_be_asked_for_beside_others(
    ana: Person, clock: MovableClock
) -> None:
    await planned(ana, clock)
    later = done(await ana.get("/project/ENG/cycles"), 200)["items"][-1]["id"]

    assert await titles(ana, f"/task?cycle={later},current&sort=key&project=ENG") == [
        "ENG now",
        "ENG later",
    ]
    columns = done(await ana.get("/project/ENG/board?cycle=current"), 200)["columns"]
    assert [task["title"] for task in columns[0]["tasks"]] == ["ENG now"]


async def test_a_view_of_the_current_cycle_goes_with_the_time(
    ana: Person, clock: MovableClock
) -> None:
    await planned(ana, clock)
    body = {"name": "Now", "shared": True, "filter": {"cycle": ["current"]}, "sort": "key"}
    view = done(await ana.post("/view", body), 201)
    path = f"/view/{view['id']}/tasks"

    assert view["filter"] == {"cycle": ["current"]}
    key = (await create(ana))["key"]  # who logs in is recorded; nothing is from here on
    for days, found in ((0, "now"), (3, "later"), (6, "later"), (1, None)):
        clock.ahead += days * DAY
        items = done(await ask(ana, key, "GET", path), 200)["items"]
        expected = [] if found is None else [f"ENG {found}", f"OPS {found}"]
        assert [task["title"] for task in items] == expected


async def test_a_cycle_that_is_moved_or_deleted_is_current_no_longer(
    ana: Person, clock: MovableClock
) -> None:
    await planned(ana, clock)
    _, now, later = done(await ana.get("/project/ENG/cycles"), 200)["items"]
    assert await titles(ana, "/project/ENG/tasks?cycle=current") == ["ENG now"]

    done(await ana.delete(f"/cycle/{now['id']}"), 204)
    assert await titles(ana, "/project/ENG/tasks?cycle=current") == []
    done(await ana.patch(f"/cycle/{later['id']}", {"startsOn": now["startsOn"]}), 200)
    assert await titles(ana, "/project/ENG/tasks?cycle=current") == ["ENG later"]


async def test_nobody_is_shown_the_current_cycle_of_a_private_project(
    app: Litestar, system: System, ana: Person, clock: MovableClock
) -> None:
    await planned(ana, clock)
    spy = await sign_up(app, organization=False)
    await join(system, spy, ana.org_id, Role.MEMBER)
    done(await ana.patch("/project/OPS", {"visibility": "PRIVATE"}), 200)

    assert await titles(spy, "/task?cycle=current") == ["ENG now"]
    assert await titles(ana, "/task?cycle=current&sort=key") == ["ENG now", "OPS now"]
    await spy.client.aclose()
