"""The offline verifier accepts the product's exports and names every change."""

from collections.abc import AsyncIterator

import pytest

from audit.export import Selection, export_lines
from audit.trail import TrailFilter, entry_json, read_trail
from audit.tree_signer import TreeSigner
from audit.verify import verify
from domain.base import ERASED
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from tests.audit.acme import TITLES, found_acme
from tests.domain.spec import ACME, ANA, NOW
from tests.spec import opened

KEY = b"k" * 32


@pytest.fixture
async def log() -> AsyncIterator[EventLog]:
    async with opened(MemoryStore()) as log:
        yield log


async def exported(log: EventLog, selection: Selection) -> list[bytes]:
    tree_signer = TreeSigner(log, KEY, lambda: NOW)
    pieces = [piece async for piece in export_lines(log, tree_signer, selection, lambda: NOW)]
    return b"".join(pieces).splitlines(keepends=True)


async def size_of(log: EventLog) -> int:
    return (await log.organization_heads())[ACME]


async def test_a_full_export_verifies_and_contains_the_values_not_erased(log: EventLog) -> None:
    await found_acme(log)
    size = await size_of(log)

    lines = await exported(log, Selection(org_id=ACME, first=1, last=size))

    report = verify(lines, TreeSigner(log, KEY, lambda: NOW).signer.vkey)
    assert report.ok
    assert report.events == size
    text = b"".join(lines).decode()
    assert all(title in text for title in TITLES)
    assert "203.0.113.7" in text


async def test_an_export_after_an_erasure_still_verifies(log: EventLog) -> None:
    _, _, tasks = await found_acme(log)
    for subject in (ANA, tasks[0]):
        log.store.destroy_key(subject)
        log.keys.forget(subject)

    lines = await exported(log, Selection(org_id=ACME, first=1, last=await size_of(log)))

    assert verify(lines).ok
    text = b"".join(lines).decode()
    assert TITLES[0] not in text
    assert TITLES[1] in text
    assert "203.0.113.7" not in text


@pytest.mark.parametrize(("first", "last"), [(1, 1), (2, 5), (3, 8), (7, 7)])
async def test_an_export_of_a_range_verifies(log: EventLog, first: int, last: int) -> None:
    await found_acme(log)

    lines = await exported(log, Selection(org_id=ACME, first=first, last=last))

    report = verify(lines)
    assert report.ok, str(report)
    assert report.events == last - first + 1


async def test_a_filtered_export_has_skeletons_for_the_events_it_omits(log: EventLog) -> None:
    await found_acme(log)
    selection = Selection(org_id=ACME, first=1, last=await size_of(log), types=("task.created",))

    report = verify(await exported(log, selection))

    assert report.ok, str(report)
    assert report.events == len(TITLES)
    assert report.skeletons == await size_of(log) - len(TITLES)


async def test_a_changed_byte_is_reported_with_its_line(log: EventLog) -> None:
    await found_acme(log)
    lines = await exported(log, Selection(org_id=ACME, first=1, last=await size_of(log)))
    lines[4] = lines[4].replace(b'"version":1', b'"version":2', 1)

    report = verify(lines)

    assert not report.ok
    assert report.problems[0].line == 5


async def test_the_trail_is_listed_newest_first_in_pages_without_gaps(log: EventLog) -> None:
    await found_acme(log)
    seen: list[int] = []
    page = await read_trail(log, ACME, TrailFilter(), 3)
    while True:
        seen += [opened.row.org_seq for opened in page.entries]
        if page.next_before is None:
            break
        page = await read_trail(log, ACME, TrailFilter(), 3, page.next_before)

    assert seen == list(range(await size_of(log), 0, -1))


async def test_the_trail_is_filtered_by_type_actor_and_address(log: EventLog) -> None:
    await found_acme(log)

    by_type = await read_trail(log, ACME, TrailFilter(type="task.retitled"), 50)
    by_ip = await read_trail(log, ACME, TrailFilter(ip="203.0.113.7"), 50)
    by_other_ip = await read_trail(log, ACME, TrailFilter(ip="203.0.113.8"), 50)

    [entry] = [entry_json(opened) for opened in by_type.entries]
    assert entry["data"] == {"from": "Ship it", "to": "Ship it now"}
    assert entry["actor"] == {"type": "user", "id": ANA}
    assert len(by_ip.entries) == await size_of(log)
    assert by_other_ip.entries == []


async def test_an_erased_value_reads_as_erased_in_the_trail(log: EventLog) -> None:
    _, _, tasks = await found_acme(log)
    log.store.destroy_key(tasks[0])
    log.keys.forget(tasks[0])

    page = await read_trail(log, ACME, TrailFilter(stream=tasks[0]), 50)

    assert entry_json(page.entries[0])["data"] == {"from": ERASED, "to": ERASED}
