"""Pages that were completed are shown again only while they would be the same."""

from datetime import datetime

from api.work.tasks.completed import (
    COMPLETED_BYTES_MAX,
    COMPLETED_MAX,
    Basis,
    CompletedPage,
    CompletedPages,
    Seen,
)
from tests.api.stage import Person, done
from tests.domain.spec import ANA, BEN, HOUR, NOW

SEEN = (b"stored", ANA, "UTC")


def keep(
    pages: CompletedPages,
    seen: Seen,
    json: bytes,
    since: datetime = NOW,
    until: datetime | None = None,
) -> None:
    pages.keep(seen, CompletedPage(json, Basis(0, {}, {}), since, until))


def known(pages: CompletedPages, seen: Seen, now: datetime) -> bytes | None:
    found = pages.get(seen, now)
    return None if found is None else found.json


def test_a_page_is_known_to_whom_it_was_shown_while_it_stays_the_same() -> None:
    pages = CompletedPages()
    keep(pages, SEEN, b"shown", until=NOW + HOUR)

    assert known(pages, SEEN, NOW) == b"shown"
    assert pages.get(SEEN, NOW + HOUR) is None
    assert pages.get(SEEN, NOW - HOUR) is None
    for other in (
        (b"changed", ANA, "UTC"),
        (b"stored", BEN, "UTC"),
        (b"stored", ANA, "Asia/Tokyo"),
    ):
        assert pages.get(other, NOW) is None
    keep(pages, SEEN, b"later", NOW + HOUR)
    assert known(pages, SEEN, NOW + 9 * HOUR) == b"later"


def test_pages_that_begin_alike_are_not_mixed_up() -> None:
    """As two pages with the same first task."""
    pages = CompletedPages()

    def seen(end: bytes) -> Seen:
        return b"x" * 100 + end, ANA, "UTC"

    keep(pages, seen(b"1"), b"one")
    for end in (b"2", b"11"):
        assert pages.get(seen(end), NOW) is None
    keep(pages, seen(b"22"), b"two")
    assert known(pages, seen(b"1"), NOW) == b"one"
    assert known(pages, seen(b"22"), NOW) == b"two"


def test_only_the_last_pages_are_kept() -> None:
    pages = CompletedPages()
    for number in range(COMPLETED_MAX + 1):
        keep(pages, (b"%d" % number, ANA, "UTC"), b"shown")
    assert pages.get((b"0", ANA, "UTC"), NOW) is None
    assert known(pages, (b"1", ANA, "UTC"), NOW) == b"shown"

    keep(pages, SEEN, b"x" * (COMPLETED_BYTES_MAX - 10))
    assert pages.get(SEEN, NOW) is not None
    assert pages.get((b"%d" % COMPLETED_MAX, ANA, "UTC"), NOW) is None


async def test_a_page_is_not_shown_again_once_the_log_says_something_else(ana: Person) -> None:
    eng, ops = await ana.project("ENG"), await ana.project("OPS")
    top = await ana.task(eng, "Top")
    done(await ana.patch("/task/ENG-1", {"priority": "URGENT"}), 200)
    below = {"title": "Below", "status": "TODO", "parentId": top["id"]}
    path = f"/project/{eng['id']}/tasks"
    done(await ana.post(path, below), 201)
    await ana.task(ops, "Blocker")
    done(await ana.post("/task/OPS-1/relations", {"kind": "blocks", "taskId": top["id"]}), 201)

    async def shown() -> tuple[bool, int, int]:
        for _ in range(2):
            [item] = done(await ana.get(f"{path}?priority=URGENT"), 200)["items"]
        return item["blocked"], item["subtasks"]["done"], item["subtasks"]["all"]

    assert await shown() == (True, 0, 1)
    await ana.task(ops, "What changes nothing on the page")
    assert await shown() == (True, 0, 1)
    done(await ana.post(path, below), 201)
    assert await shown() == (True, 0, 2)
    done(await ana.post("/task/ENG-3/status", {"status": "IN_PROGRESS"}), 200)
    done(await ana.post("/task/ENG-3/status", {"status": "DONE"}), 200)
    assert await shown() == (True, 1, 2)
    done(await ana.delete("/project/OPS"), 204)
    assert await shown() == (False, 1, 2)
    done(await ana.post("/project/OPS/restore"), 200)
    assert await shown() == (True, 1, 2)
