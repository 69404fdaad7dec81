"""Pages that were answered are answered again from memory, only while they are the same."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar

from api.http.paging import PAGES_BYTES_MAX, PAGES_MAX, AskedPage, AsOf, KeptPage, KeptPages
from api.http.response import ApiResponse
from domain.base import OrgId
from domain.identity.organization.membership import Role
from projections.engine.find import ReadModels
from projections.engine.query import ListSlice, Query
from runtime.system import System
from tests.api.stage import Json, MovableClock, Person, done, join, sign_up
from tests.domain.spec import HOUR, NOW

WHO, ORG = UUID(int=1), OrgId(UUID(int=2))
AS_OF: AsOf = ("life", "tasks-1"), {ORG: 7}


def asked(cursor: str | None = None, who: UUID = WHO) -> AskedPage:
    return "list", who, 50, cursor


def answered(as_of: AsOf = AS_OF, until: datetime | None = None, body: bytes = b"[]") -> KeptPage:
    return KeptPage(as_of, NOW, until, ApiResponse(body))


def test_a_page_is_known_while_it_would_be_the_same() -> None:
    pages, page = KeptPages(), answered(until=NOW + HOUR)
    pages.keep(asked(), page)

    assert pages.get(asked(), AS_OF, NOW) is page.answer
    for other in (asked("next"), asked(who=UUID(int=9))):
        assert pages.get(other, AS_OF, NOW) is None
    later: list[AsOf] = [(AS_OF[0], {ORG: 8}), (("life", "tasks-2"), {ORG: 7})]
    for as_of in later:
        assert pages.get(asked(), as_of, NOW) is None
    assert pages.get(asked(), AS_OF, NOW + HOUR) is None
    assert pages.get(asked(), AS_OF, NOW - HOUR) is None


def test_a_newer_page_takes_the_place_of_the_older() -> None:
    pages, newer = KeptPages(), answered((AS_OF[0], {ORG: 8}))
    pages.keep(asked(), answered())
    pages.keep(asked(), newer)

    assert pages.get(asked(), AS_OF, NOW) is None
    assert pages.get(asked(), newer.as_of, NOW + 1_000 * HOUR) is newer.answer


def test_only_the_pages_answered_last_are_kept() -> None:
    pages = KeptPages()
    for number in range(PAGES_MAX + 1):
        pages.keep(asked(str(number)), answered())
    assert pages.get(asked("0"), AS_OF, NOW) is None
    assert pages.get(asked("1"), AS_OF, NOW) is not None

    large = answered(body=b"x" * (PAGES_BYTES_MAX - 2))
    pages.keep(asked(), large)
    assert pages.get(asked(), AS_OF, NOW) is large.answer
    assert pages.get(asked(str(PAGES_MAX)), AS_OF, NOW) is None


class Reads:
    """How many slices of lists the read models were asked for."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.count, read = 0, ReadModels.pages

        async def counted(models: ReadModels, *queries: Query) -> list[ListSlice]:
            self.count += len(queries)
            return await read(models, *queries)

        patch.setattr(ReadModels, "pages", counted)

    async def of(self, person: Person, path: str) -> tuple[Any, int]:
        """Return a list as *person* gets it, and how many slices were read for it."""
        before = self.count
        shown = done(await person.get(path), 200)["items"]
        return shown, self.count - before


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    return Reads(monkeypatch)


async def with_two_tasks(person: Person) -> Json:
    """Create a project with tasks of which one blocks the other, which has subtasks."""
    project: Json = await person.project()
    first, second = [await person.task(project, title) for title in ("Drain it", "Oil it")]
    await person.task(project, "Buy oil", parentId=second["id"])
    relation = {"kind": "blocks", "taskId": second["id"]}
    done(await person.post(f"/task/{first['id']}/relations", relation), 201)
    return project


@pytest.mark.parametrize("query", ["", "?blocked=true", "?sort=key", "?q=oil", "?priority=MEDIUM"])
async def test_a_list_is_read_again_only_when_its_organization_has_recorded_something(
    ana: Person, app: Litestar, reads: Reads, query: str
) -> None:
    project, other = await with_two_tasks(ana), await sign_up(app)
    paths = f"/project/{project['id']}/tasks{query}", f"/task{query}"
    for path, title in zip(paths, ("Oil it well", "Oil it better"), strict=True):
        first, count = await reads.of(ana, path)
        assert first
        assert count

        done(await other.post("/label", {"name": path, "color": "#0969da"}), 201)
        assert await reads.of(ana, path) == (first, 0)

        done(await ana.patch(f"/task/{first[0]['id']}", {"title": title}), 200)
        changed, count = await reads.of(ana, path)
        assert changed[0]["title"] == title
        assert count


async def test_a_page_tells_each_reader_whether_they_watch(
    ana: Person, app: Litestar, system: System, reads: Reads
) -> None:
    project, ben = await with_two_tasks(ana), await sign_up(app, organization=False)
    await join(system, ben, ana.org_id, Role.MEMBER)
    path = f"/project/{project['id']}/tasks"

    for _ in range(2):
        for person, watches in ((ana, True), (ben, False)):
            shown, count = await reads.of(person, path)
            assert {each["watching"] for each in shown} == {watches}
    assert count == 0


async def test_a_task_is_overdue_as_soon_as_its_time_has_come(
    ana: Person, clock: MovableClock, reads: Reads
) -> None:
    project = await ana.project()
    soon = datetime.now(UTC) + timedelta(minutes=2)
    await ana.task(project, dueAt=soon.isoformat())
    path = f"/project/{project['id']}/tasks"

    async def overdue() -> tuple[list[bool], int]:
        shown, count = await reads.of(ana, path)
        return [each["overdue"] for each in shown], count

    assert await overdue() == ([False], 1)
    clock.ahead = timedelta(minutes=1)
    assert await overdue() == ([False], 0)
    clock.ahead = timedelta(minutes=3)
    assert await overdue() == ([True], 1)
    assert await overdue() == ([True], 0)


async def test_which_tasks_are_due_is_asked_each_time(ana: Person, reads: Reads) -> None:
    project = await ana.project()
    await ana.task(project, dueDate="2020-01-01")
    for path in (f"/project/{project['id']}/tasks?overdue=true", "/task?due=..2020-02-01"):
        for _ in range(2):
            shown, count = await reads.of(ana, path)
            assert len(shown) == 1
            assert count


async def test_a_board_is_read_again_only_when_its_organization_has_recorded_something(
    ana: Person, reads: Reads
) -> None:
    project = await with_two_tasks(ana)

    async def titles() -> tuple[list[list[str]], int]:
        before = reads.count
        columns = done(await ana.get(f"/project/{project['id']}/board"), 200)["columns"]
        shown = [[task["title"] for task in each["tasks"]] for each in columns if each["tasks"]]
        return shown, reads.count - before

    first, count = await titles()
    assert first == [["Drain it", "Oil it", "Buy oil"]]
    assert count
    assert await titles() == (first, 0)
    done(await ana.delete("/task/ENG-3"), 204)
    assert (await titles())[0] == [["Drain it", "Oil it"]]
