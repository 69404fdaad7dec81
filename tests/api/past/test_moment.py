"""Which moment a GET asks for, and what refuses it."""

from datetime import timedelta
from typing import Any

import pytest

from runtime.system import System
from tests.api.past.moments import seq_now, then
from tests.api.stage import MovableClock, Person, done, log_in, refused

PATHS = ("/task/ENG-1", "/project/ENG", "/project/ENG/board", "/org/{org}", "/org/{org}/members")
INVALID = "invalid_request"
NONSENSE = ("0", "-1", "01", "1.5", "1e3", "x", "", "2026-01-31", "2026-01-31T12:00:00", "null")


async def made(ana: Person) -> list[str]:
    """Make a task; return the paths of everything that has a past."""
    await ana.task(await ana.project())
    return [path.format(org=ana.org_id) for path in PATHS]


class TestMoment:
    @pytest.mark.parametrize("asked", [*NONSENSE, "9" * 18, "9999-01-01T00:00:00Z"])
    async def test_what_is_no_moment_is_refused(self, ana: Person, asked: str) -> None:
        for path in await made(ana):
            response = await ana.get(path, params={"as_of": asked})

            problem = refused(response, 422, "invalid_request")
            assert [each["path"] for each in problem["errors"]] == ["as_of"], problem

    async def test_what_has_not_been_recorded_yet_is_refused(
        self, ana: Person, system: System
    ) -> None:
        paths = await made(ana)
        following = await seq_now(system, ana) + 1
        later = (system.clock() + timedelta(minutes=1)).isoformat()

        for path in paths:
            for asked, why in ((str(following), "with this number yet"), (later, "not come yet")):
                problem = refused(await ana.get(path, params={"as_of": asked}), 422, INVALID)
                assert why in problem["errors"][0]["message"]

    async def test_a_moment_is_asked_for_once_and_only_where_there_is_a_past(
        self, ana: Person
    ) -> None:
        for path in await made(ana):
            refused(await ana.get(f"{path}?as_of=3&as_of=3"), 422, INVALID)
        for path in ("/task/ENG-1/comments", "/project", "/project/ENG/tasks", "/label"):
            refused(await ana.get(f"{path}?as_of=3"), 422, INVALID)
        refused(await ana.patch("/task/ENG-1?as_of=3", {"title": "No"}), 422, INVALID)

    async def test_refusals_of_a_moment_tell_nothing_of_things(
        self, ana: Person, dan: Person
    ) -> None:
        await made(ana)
        theirs = await dan.task(await dan.project("DAN"))

        for asked in ("x", "9" * 18, "2020-01-01T00:00:00Z"):
            codes = {
                (await ana.get(path, params={"as_of": asked})).json()["code"]
                for path in ("/task/ENG-1", "/task/ENG-9", "/task/DAN-1", f"/task/{theirs['id']}")
            }
            assert len(codes) == 1

    async def test_before_an_organization_existed_there_is_nothing(
        self, ana: Person, system: System
    ) -> None:
        begun = system.clock() - timedelta(days=1)
        missing = (await ana.get("/task/ENG-7")).json()

        for path in await made(ana):
            problem = refused(
                await ana.get(path, params={"as_of": begun.isoformat()}), 404, "not_found"
            )
            assert problem | {"requestId": ""} == missing | {"requestId": ""}

    async def test_a_time_means_all_that_was_recorded_up_to_it(
        self, ana: Person, system: System
    ) -> None:
        await ana.task(await ana.project(), "One")
        for title in ("Two", "Three"):
            before = system.clock()
            done(await ana.patch("/task/ENG-1", {"title": title}), 200)

        between = {"as_of": before.isoformat()}
        shown = done(await ana.get("/task/ENG-1", params=between), 200)

        assert shown["title"] == "Two"
        assert await then(ana, "/task/ENG-1", shown["asOf"]["seq"]) == {
            name: value for name, value in shown.items() if name != "asOf"
        }
        now = (await ana.get("/task/ENG-1", params={"as_of": system.clock().isoformat()})).json()
        assert now["title"] == "Three"
        east = before.astimezone().isoformat()
        assert (await ana.get("/task/ENG-1", params={"as_of": east})).json() == shown

    async def test_a_position_that_is_asked_for_as_well_changes_nothing(
        self, ana: Person, system: System
    ) -> None:
        await made(ana)
        seq = await seq_now(system, ana)
        changed = await ana.patch("/task/ENG-1", {"title": "New"})
        headers = {"x-min-position": changed.headers["x-position"]}

        shown: Any = done(await ana.get(f"/task/ENG-1?as_of={seq}", headers=headers), 200)

        assert shown["title"] == "Oil it"


class TestPlan:
    async def test_a_plan_tells_how_far_back_things_are_shown(
        self, ana: Person, system: System, clock: MovableClock
    ) -> None:
        paths = await made(ana)
        quiet, seq = system.clock(), await seq_now(system, ana)
        done(await ana.patch("/task/ENG-1", {"title": "Soon"}), 200)
        clock.ahead += timedelta(days=31)
        ana.token = await log_in(ana.client, ana.email)

        for path in paths:
            for asked in (quiet.isoformat(), str(seq)):
                problem = refused(await ana.get(path, params={"as_of": asked}), 402, "plan_limit")
                assert (problem["what"], problem["limit"]) == ("past_days", 30)
                assert (problem["plan"], problem["upgradeTo"]) == ("FREE", "BASIC")
                assert 31 <= problem["used"] <= 32
        # What was newest at the beginning of the window is within it, however old it is.
        newest = await seq_now(system, ana)
        done(await ana.get(f"/task/ENG-1?as_of={newest}"), 200)
        edge = (system.clock() - timedelta(days=29)).isoformat()
        shown = done(await ana.get("/task/ENG-1", params={"as_of": edge}), 200)
        assert shown["title"] == "Soon"
        done(await ana.get(f"/task/ENG-1?as_of={shown['asOf']['seq']}"), 200)
        done(await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "PREMIUM"}), 200)
        assert (await then(ana, "/task/ENG-1", seq))["title"] == "Oil it"
