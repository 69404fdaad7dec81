"""An event that cannot be read spoils neither the page, nor the export, nor the tree around it."""

import csv
import io
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from msgspec.structs import replace

from audit.export import Selection, export_lines
from audit.table import export_table
from audit.trail import TrailFilter, entry_json, read_trail
from audit.tree_signer import TreeSigner
from audit.verify import verify
from eventstore.append import Append
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from tests.audit.acme import found_acme
from tests.domain.spec import ACME, ANA, NOW
from tests.spec import opened

TAG = "task.retitled"
LOST = UUID(int=0xBAD)
STATES = [b"no JSON\nat all", b"{}", b'{"metadata":{},"event":{"title":7}}', b"\xff\x00"]


@pytest.fixture
async def log() -> AsyncIterator[EventLog]:
    async with opened(MemoryStore()) as log:
        yield log


async def poisoned(log: EventLog) -> int:
    """Record a history with unreadable bytes and damaged seals at its end; return its length."""
    await found_acme(log)
    rows = await log.organization(ACME, 0, 100)
    [sealed] = [row for row in rows if row.tag == TAG]
    lost = [
        replace(sealed, stream_id=LOST, version=version, state=state, private=None)
        for version, state in enumerate(STATES, start=1)
    ]
    lost.append(
        replace(sealed, version=sealed.version + 1)
    )  # its seals belong to the version before
    for row in lost:
        await log.append(Append(rows=[row], expects={}, keys={}))
    return len(rows) + len(lost)


async def test_a_page_shows_what_is_known_of_it(log: EventLog) -> None:
    size = await poisoned(log)

    page = await read_trail(log, ACME, TrailFilter(), 100)

    entries = [entry_json(each) for each in page.entries]
    assert [entry["seq"] for entry in entries] == [*range(size, 0, -1)]
    lost = [entry for entry in entries if entry.get("unreadable")]
    assert len(lost) == len(STATES) + 1
    assert {entry["type"] for entry in lost} == {TAG}
    assert all(entry["actor"] is None and entry["data"] == {} for entry in lost)
    by_ana = await read_trail(log, ACME, TrailFilter(actor=ANA), 100)
    assert not [each for each in map(entry_json, by_ana.entries) if each.get("unreadable")]


async def test_an_export_marks_it_and_verifies(log: EventLog) -> None:
    size = await poisoned(log)
    signer = TreeSigner(log, b"k" * 32, lambda: NOW)
    selection = Selection(org_id=ACME, first=1, last=size)

    pieces = [piece async for piece in export_lines(log, signer, selection, lambda: NOW)]

    lines = b"".join(pieces).splitlines(keepends=True)
    marked = [line for line in lines if b'"unreadable":true' in line]
    report = verify(lines, signer.signer.vkey)
    assert report.ok, str(report)
    assert report.unreadable == len(marked) == len(STATES) + 1
    assert report.events == size - len(marked)
    assert f"{len(marked)} unreadable, proven to {size}" in str(report)
    hidden = [line.replace(b',"unreadable":true', b"") for line in lines]
    assert not verify(hidden).ok


async def test_a_table_has_a_row_for_it(log: EventLog) -> None:
    size = await poisoned(log)
    selection = Selection(org_id=ACME, first=1, last=size)

    table = b"".join([piece async for piece in export_table(log, selection)]).decode()

    rows = list(csv.DictReader(io.StringIO(table)))
    assert [int(row["seq"]) for row in rows] == [*range(1, size + 1)]
    assert len([row for row in rows if not row["actor.id"]]) == len(STATES) + 1
