"""The audit log over HTTP: exports and filters."""

import csv
import io
import json

import pytest

from audit.category import PATTERNS, Category, events_of
from audit.table import TABLE_COLUMNS
from domain.catalog import PUBLIC_EVENT_TYPES
from domain.hooks.webhook.state import pattern_covers
from tests.api.stage import Person, done, refused


async def exported(person: Person) -> list[dict[str, str]]:
    """Return the rows of the whole log as CSV."""
    response = await person.get("/audit/export?format=csv")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    disposition = response.headers["content-disposition"]
    assert disposition.startswith("attachment; filename=")
    assert disposition.endswith('.csv"')
    text = response.content.decode()
    assert text.endswith("\r\n")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    assert all(set(row) == set(TABLE_COLUMNS) for row in rows)
    return rows


async def test_the_csv_has_every_event_once_in_order(ana: Person) -> None:
    project = await ana.project()
    for number in range(3):
        await ana.task(project, title=f'Say "{number}", then\u2026 stop')

    rows = await exported(ana)

    page = done(await ana.get("/audit?limit=100"), 200)["items"]
    before_the_export = list(reversed(page))[:-1]
    assert [row["id"] for row in rows] == [event["id"] for event in before_the_export]
    assert [int(row["seq"]) for row in rows] == list(range(1, len(rows) + 1))
    assert rows[-1]["type"] == before_the_export[-1]["type"]
    assert rows[-1]["actor.id"] == ana.id
    assert page[0]["type"] == "audit.exported"
    assert page[0]["data"]["format"] == "csv"
    assert any('Say \\"2\\", then\u2026 stop' in row["data"] for row in rows)


EXPORTS = (
    ("csv", "text/csv; charset=utf-8"),
    ("jsonl", "application/jsonl"),
    ("ocsf", "application/jsonl"),
)


async def test_a_head_of_the_export_is_not_recorded(ana: Person) -> None:
    await ana.get("/audit")  # which is recorded, once an hour
    before = done(await ana.get("/audit"), 200)["items"]

    for form, media in EXPORTS:
        head = await ana.ask("HEAD", f"/audit/export?format={form}")
        assert (head.status_code, head.headers["content-type"]) == (200, media)
        assert head.content == b""

    assert done(await ana.get("/audit"), 200)["items"] == before


async def test_no_cell_is_a_formula(ana: Person) -> None:
    for first in ("=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1,1)"):
        headers = {"user-agent": first}
        body = {"key": f"K{ord(first[0])}", "name": first}
        done(await ana.post("/project", body, headers=headers), 201)

    rows = await exported(ana)

    assert any(row["userAgent"] == "'=cmd|' /C calc'!A0" for row in rows)
    cells = [cell for row in rows for cell in row.values() if cell]
    assert not [cell for cell in cells if cell[0] in "=+-@\t\r\n\0"]


async def test_an_address_is_found_however_it_is_spelled(ana: Person) -> None:
    await ana.project()

    for spelled in ("192.0.2.7", "::ffff:192.0.2.7", "::FFFF:c000:207"):
        assert done(await ana.get(f"/audit?ip={spelled}"), 200)["items"]
    assert not done(await ana.get("/audit?ip=192.0.2.8"), 200)["items"]
    for spelled in ("192.0.2.7:80", "fe80::1%25eth0", "x"):
        refused(await ana.get(f"/audit?ip={spelled}"), 422, "invalid_request")


async def test_an_entry_names_its_sequence_number_and_no_position(ana: Person) -> None:
    await ana.project()

    page = done(await ana.get("/audit"), 200)["items"]

    assert [event["seq"] for event in page] == list(range(len(page), 0, -1))
    assert all("position" not in event for event in page)


async def test_events_are_found_by_their_category(ana: Person) -> None:
    project = await ana.project()
    task = await ana.task(project)
    invited = {"email": "kim@example.com", "role": "MEMBER"}
    done(await ana.post(f"/org/{ana.org_id}/invitations", invited), 201)
    await ana.get("/audit")  # which is recorded, once an hour
    everything = done(await ana.get("/audit?limit=100"), 200)["items"]

    found = {
        category: {
            event["id"]: event["type"]
            for event in done(await ana.get(f"/audit?limit=100&category={category}"), 200)["items"]
        }
        for category in Category
    }

    assert set(found[Category.WORK].values()) == {"project.created", "task.created"}
    assert set(found[Category.MEMBERS].values()) == {
        "organization.created",
        "member.joined",
        "member.invited",
    }
    access = {"access.logged_in", "access.audit_read"}
    assert set(found[Category.ACCESS].values()) == access
    assert set(found[Category.SECURITY].values()) == {"member.joined", *access}
    assert {event["id"] for event in everything} == set().union(*found.values())
    assert task["id"]
    refused(await ana.get("/audit?category=nonsense"), 422, "invalid_request")


def test_every_event_is_in_a_category_and_every_pattern_finds_events_of_its_own() -> None:
    assert set().union(*map(events_of, Category)) == set(PUBLIC_EVENT_TYPES)
    assert events_of(Category.WORK) & events_of(Category.SECURITY) == set()
    for patterns in PATTERNS.values():
        for pattern in patterns:
            assert any(pattern_covers(pattern, tag) for tag in PUBLIC_EVENT_TYPES), pattern


async def test_events_are_found_by_their_type_or_their_group(ana: Person) -> None:
    project = await ana.project()
    task = await ana.task(project)
    done(await ana.patch(f"/task/{task['id']}", {"title": "Oil it well"}), 200)

    async def types(asked: str) -> list[str]:
        found = done(await ana.get(f"/audit?type={asked}"), 200)["items"]
        return [entry["type"] for entry in found]

    assert await types("task.created") == ["task.created"]
    assert await types("task.*") == ["task.retitled", "task.created"]
    assert "project.created" in await types("*")


@pytest.mark.parametrize("asked", ["task.creatd", "task", "tas*", "", "user.registered"])
async def test_a_type_of_which_no_organization_has_events_is_refused(
    ana: Person, asked: str
) -> None:
    problem = refused(await ana.get(f"/audit?type={asked}"), 422, "invalid_request")

    assert [error["path"] for error in problem["errors"]] == ["type"]


async def test_the_log_as_ocsf_has_every_event_once_in_order(ana: Person, dan: Person) -> None:
    task = await ana.task(await ana.project(), title="Oil the engine")
    await dan.project()

    response = await ana.get("/audit/export?format=ocsf&from=2")

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/jsonl"
    assert response.headers["content-disposition"].endswith('.ocsf.jsonl"')
    events = [json.loads(line) for line in response.text.splitlines()]
    page = done(await ana.get("/audit?limit=100"), 200)["items"]
    told = [entry for entry in reversed(page) if entry["seq"] > 1][:-1]
    assert [event["metadata"]["uid"] for event in events] == [entry["id"] for entry in told]
    assert [event["metadata"]["sequence"] for event in events] == [e["seq"] for e in told]
    assert {event["metadata"]["tenant_uid"] for event in events} == {ana.org_id}
    created = next(e for e in events if e["metadata"]["event_code"] == "task.created")
    assert created["resources"] == [{"uid": task["id"], "type": "task"}]
    assert created["actor"]["user"]["uid"] == ana.id
    assert created["unmapped"]["data"]["title"] == "Oil the engine"
    assert page[0]["data"]["format"] == "ocsf"
    seq = created["metadata"]["sequence"]
    proof = done(await ana.get(f"/audit/proof/inclusion?seq={seq}"), 200)
    assert proof["leafHash"] == created["unmapped"]["leafHash"]


@pytest.mark.parametrize("kind", ["jsonl", "csv", "ocsf"])
@pytest.mark.parametrize("asked", ["from=9&to=3", "from=999999", "from=0", "to=0", "from=x"])
async def test_an_export_of_nothing_is_refused_and_not_recorded(
    ana: Person, kind: str, asked: str
) -> None:
    refused(await ana.get(f"/audit/export?format={kind}&{asked}"), 422, "invalid_request")

    assert not done(await ana.get("/audit?type=audit.exported"), 200)["items"]
