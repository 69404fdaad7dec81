"""Proofs over HTTP: what they say, who gets them, and what is refused."""

import asyncio
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from audit.note import TreeCheckpoint, Verifier, open_checkpoint
from audit.proof.check import ProofReport, check_proof
from domain.base import OrgId, TaskId
from domain.work.task.events import TaskRetitled
from eventstore.mode import LogMode
from eventstore.recorded import Row
from runtime.system import System
from tests.api.stage import Person, done, refused
from tests.spec import on, record


def checked(proof: Any, **options: Any) -> ProofReport:
    """Check a proof as somebody without the log does, who trusts the key."""
    report = check_proof(json.dumps(proof).encode(), proof["vkey"], **options)
    assert report is not None
    return report


async def checkpoint(person: Person) -> tuple[Any, TreeCheckpoint]:
    """Return the newest checkpoint, as the API answers it and opened."""
    found = done(await person.get("/audit/checkpoint"), 200)
    return found, open_checkpoint(found["note"], Verifier.parse(found["vkey"]))


async def a_history(system: System, person: Person, events: int) -> None:
    """Record so many events more."""
    task = await person.task(await person.project())
    retitled = [TaskRetitled(from_="-", to=f"Title {n}") for n in range(events)]
    stream = TaskId(UUID(task["id"]))
    await record(system.log, on(stream, *retitled, org_id=OrgId(UUID(person.org_id))))


async def test_an_event_is_proven_to_somebody_without_the_log(ana: Person) -> None:
    task = await ana.task(await ana.project(), title="Oil the engine")
    [entry] = done(await ana.get("/audit?type=task.created"), 200)["items"]

    proof = done(await ana.get(f"/audit/proof/inclusion?seq={entry['seq']}"), 200)

    assert checked(proof).problems == []
    state = json.loads(proof["event"]["state"])
    assert state["event"]["type"] == "task.created"
    assert state["metadata"]["stream"] == task["id"]
    assert proof["event"]["recordedAt"] == entry["at"]
    assert proof["event"]["disclosed"]["event.title"][1] == "Oil the engine"
    assert json.loads(proof["event"]["disclosed"]["metadata.from"][1])[0] == entry["ip"]
    assert proof["leafHash"].startswith(UUID(entry["id"]).hex[:12])
    assert proof["seq"] == entry["seq"]
    assert proof["size"] >= proof["seq"]


async def test_the_proof_of_an_event_is_recorded_as_a_read_of_the_log(ana: Person) -> None:
    done(await ana.get("/audit/proof/inclusion?seq=1"), 200)

    items = done(await ana.get("/audit?type=access.audit_read"), 200)["items"]

    assert len(items) == 1


async def test_a_proof_can_be_of_a_size_that_a_checkpoint_was_kept_of(ana: Person) -> None:
    await ana.project()
    kept, opened = await checkpoint(ana)
    await ana.task(await ana.project("HR"))

    proof = done(await ana.get(f"/audit/proof/inclusion?seq=2&size={kept['size']}"), 200)

    assert proof["checkpoint"] == kept["note"]
    assert checked(proof, previous=opened).problems == []
    earlier = done(await ana.get("/audit/proof/consistency?from=1&to=3"), 200)
    assert (earlier["from"]["size"], earlier["to"]["size"]) == (1, 3)
    assert checked(earlier).problems == []
    same = done(await ana.get("/audit/proof/consistency?from=3&to=3"), 200)
    assert same["proof"] == []
    assert checked(same).problems == []


async def test_events_of_a_long_log_are_proven_while_it_grows(system: System, ana: Person) -> None:
    await a_history(system, ana, 600)
    kept, opened = await checkpoint(ana)

    async def write() -> None:
        for number in range(10):
            done(await ana.post("/label", {"name": f"L{number}", "color": "#ff0000"}), 201)

    async def prove(seq: int) -> None:
        proof = done(await ana.get(f"/audit/proof/inclusion?seq={seq}"), 200)
        assert checked(proof).problems == []
        grown = done(await ana.get(f"/audit/proof/consistency?from={kept['size']}"), 200)
        assert checked(grown, previous=opened).problems == []
        assert grown["to"]["size"] >= proof["size"]

    await asyncio.gather(write(), *(prove(seq) for seq in (1, 255, 256, 257, 512, 600)))

    grown = done(await ana.get(f"/audit/proof/consistency?from={kept['size']}"), 200)
    assert grown["to"]["size"] >= kept["size"] + 10
    assert grown["from"]["checkpoint"] == kept["note"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("inclusion", "seq"),
        ("inclusion?seq=0", "seq"),
        ("inclusion?seq=-1", "seq"),
        ("inclusion?seq=x", "seq"),
        ("inclusion?seq=1e1", "seq"),
        ("inclusion?seq=999", "seq"),
        ("inclusion?seq=999999999999999999", "seq"),
        ("inclusion?seq=1000000000000000000", "seq"),
        ("inclusion?seq=1&size=999", "size"),
        ("inclusion?seq=1&size=0", "size"),
        ("inclusion?seq=3&size=2", "seq"),
        ("consistency", "from"),
        ("consistency?from=0", "from"),
        ("consistency?from=999", "from"),
        ("consistency?from=1&to=999", "to"),
        ("consistency?from=1&to=0", "to"),
        ("consistency?from=3&to=2", "from"),
        ("consistency?from=1&to=2&to=3", "to"),
        ("consistency?from=1&size=3", "size"),
    ],
)
async def test_what_no_checkpoint_covers_is_refused_by_name(
    ana: Person, query: str, parameter: str
) -> None:
    await ana.project()

    problem = refused(await ana.get(f"/audit/proof/{query}"), 422, "invalid_request")

    assert [error["path"] for error in problem["errors"]] == [parameter]


async def test_refusals_say_how_large_the_tree_is(ana: Person) -> None:
    kept, _ = await checkpoint(ana)
    beyond = kept["size"] + 1

    for query, told in (
        (f"inclusion?seq={beyond}", f"Expected at most {kept['size']}, the size of the tree"),
        (
            f"inclusion?seq=1&size={beyond}",
            f"Expected at most {kept['size']}, the size of the newest checkpoint",
        ),
        (
            f"consistency?from={beyond}",
            f"Expected at most {kept['size']}, the newest checkpoint",
        ),
        ("consistency?from=2&to=1", "Expected at most `to`"),
    ):
        problem = refused(await ana.get(f"/audit/proof/{query}"), 422, "invalid_request")
        assert problem["errors"][0]["message"] == told


async def test_each_organization_has_proofs_of_its_own_tree_only(ana: Person, dan: Person) -> None:
    await ana.project()

    hers = done(await ana.get("/audit/proof/inclusion?seq=1"), 200)
    his = done(await dan.get("/audit/proof/inclusion?seq=1"), 200)

    assert hers["organization"] == ana.org_id
    assert his["organization"] == dan.org_id
    assert hers["leafHash"] != his["leafHash"]
    mixed = {**hers, "checkpoint": his["checkpoint"], "size": his["size"], "root": his["root"]}
    problems = checked(mixed).problems
    assert any(dan.org_id in problem for problem in problems)
    _, opened = await checkpoint(dan)
    size = min(opened.size, (await checkpoint(ana))[1].size)
    grown = done(await ana.get(f"/audit/proof/consistency?from={size}"), 200)
    assert checked(grown, previous=opened).problems


Change = Callable[[Row], Row]


def answering(system: System, person: Person, patch: pytest.MonkeyPatch, change: Change) -> None:
    """Have the database answer other events of an organization than were recorded."""
    store = system.log.store

    def changed(read: Callable[..., list[Row]], org_id: OrgId, *asked: Any) -> list[Row]:
        rows = read(org_id, *asked)
        return [change(row) for row in rows] if str(org_id) == person.org_id else rows

    for name in ("organization", "organization_at", "organization_before"):
        patch.setattr(store, name, partial(changed, getattr(store, name)))


@pytest.fixture
def mode(system: System) -> Iterator[Callable[[LogMode], None]]:
    """Yield what sets the mode of the log, which is open again after the test."""
    yield system.log.store.set_mode
    system.log.store.set_mode(LogMode.OPEN)


async def test_a_log_that_was_tampered_with_proves_nothing(
    system: System, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_history(system, ana, 300)
    await checkpoint(ana)
    done(await ana.get("/audit/proof/inclusion?seq=5"), 200)

    def forge(row: Row) -> Row:
        return replace(row, state=row.state + b" ") if row.org_seq == 5 else row

    answering(system, ana, monkeypatch, forge)

    for query in ("inclusion?seq=5", "inclusion?seq=7", "consistency?from=3", "inclusion?seq=2"):
        refused(await ana.get(f"/audit/proof/{query}"), 503, "log_contradicted")


async def test_a_log_that_lost_events_proves_nothing(
    system: System, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ana.project()
    kept, _ = await checkpoint(ana)
    read = system.log.store.organization_before

    def fewer(org_id: OrgId, before: int, limit: int) -> list[Row]:
        return read(org_id, min(before, kept["size"]), limit)

    monkeypatch.setattr(system.log.store, "organization_before", fewer)

    for path in ("checkpoint", "proof/inclusion?seq=1", "proof/consistency?from=1"):
        refused(await ana.get(f"/audit/{path}"), 503, "log_contradicted")


async def test_a_log_that_was_set_back_gives_no_checkpoint_until_that_is_accepted(
    ana: Person, mode: Callable[[LogMode], None]
) -> None:
    mode(LogMode.CONTRADICTED)

    for path in ("checkpoint", "proof/inclusion?seq=1", "proof/consistency?from=1"):
        refused(await ana.get(f"/audit/{path}"), 503, "log_contradicted")


async def test_a_read_only_log_is_proven_as_it_is(
    ana: Person, mode: Callable[[LogMode], None]
) -> None:
    await ana.project()
    mode(LogMode.READ_ONLY)

    proof = done(await ana.get("/audit/proof/inclusion?seq=2"), 200)
    grown = done(await ana.get("/audit/proof/consistency?from=2"), 200)

    assert checked(proof).problems == checked(grown).problems == []


async def test_an_event_that_cannot_be_read_is_proven_by_its_hash(
    system: System, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damage(row: Row) -> Row:
        return replace(row, state=b"\xff no JSON") if row.org_seq == 2 else row

    answering(system, ana, monkeypatch, damage)

    proof = done(await ana.get("/audit/proof/inclusion?seq=2"), 200)

    assert proof["event"] is None
    report = checked(proof)
    assert report.problems == []
    assert "its contents are not in the file" in str(report)


async def test_a_head_is_answered_and_recorded_as_nothing(ana: Person) -> None:
    head = await ana.ask("HEAD", "/audit/proof/inclusion?seq=1")

    assert (head.status_code, head.content) == (200, b"")
    assert done(await ana.get("/audit?type=access.audit_read"), 200)["items"] == []
