"""Redaction over HTTP: a text is gone wherever it was read, and all that proves the log holds."""

import asyncio
import json
from typing import Any

from litestar import Litestar

from audit.proof.check import check_proof
from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.exchange.streams import member
from tests.api.keys import change_plan
from tests.api.stage import Person, done, refused, sign_up

SECRET = "the password is hunter2"
WHY = {"reason": "It was a password"}


async def said(person: Person) -> tuple[str, dict[str, Any]]:
    """Post a secret as a comment and edit it away; return where, and the event that says it."""
    task = await person.task(await person.project())
    path = f"/task/{task['id']}/comments"
    comment = done(await person.post(path, {"body": SECRET}), 201)
    done(await person.patch(f"{path}/{comment['id']}", {"body": "See the vault"}), 200)
    return f"{path}/{comment['id']}", await newest(person, "comment.posted")


async def newest(person: Person, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = done(await person.get(f"/audit?type={kind}"), 200)["items"][0]
    return found


async def everywhere(person: Person, task: str) -> str:
    """Return all that can be read of a task and its history."""
    head = (await newest(person, "comment.posted"))["seq"]
    pages = ["/audit?limit=100", f"/task/{task}/activity", "/audit/export?format=jsonl"]
    pages += [f"/task/{task}", f"/task/{task}/comments", f"/task/{task}?as_of={head}"]
    pages += [f"/audit/proof/inclusion?seq={head}", "/inbox"]
    read = [await person.get(page) for page in pages]
    assert {each.status_code for each in read} == {200}, [(e.url, e.status_code) for e in read]
    return "\n".join(each.text for each in read)


async def test_what_was_edited_away_is_gone_for_good(ana: Person) -> None:
    path, event = await said(ana)
    task = path.split("/")[2]
    assert SECRET in await everywhere(ana, task)

    redacted = done(await ana.post(f"/audit/{event['seq']}/redact", WHY), 200)

    assert redacted == {
        "of": event["stream"]["id"],
        "redacted": [{"seq": event["seq"], "fields": ["body"]}],
    }
    read = await everywhere(ana, task)
    assert SECRET not in read
    assert "See the vault" in read
    told = await newest(ana, "content.redacted")
    assert told["data"] == {
        "of": event["stream"]["id"],
        "taskId": task,
        "projectId": None,
        "texts": redacted["redacted"],
        "reason": WHY["reason"],
    }
    assert (await newest(ana, "comment.posted"))["data"]["body"] == "[erased]"


async def test_all_events_of_a_thing_lose_the_same_text(ana: Person) -> None:
    task = await ana.task(await ana.project(), title=SECRET, description="Kept")
    await ana.patch(f"/task/{task['id']}", {"title": "Oil it"})
    created, retitled = [await newest(ana, f"task.{each}") for each in ("created", "retitled")]

    redacted = done(
        await ana.post(f"/audit/{created['seq']}/redact", {**WHY, "fields": ["title"]}), 200
    )

    assert redacted["redacted"] == [
        {"seq": created["seq"], "fields": ["title"]},
        {"seq": retitled["seq"], "fields": ["from"]},
    ]
    created, retitled = [await newest(ana, f"task.{each}") for each in ("created", "retitled")]
    assert (created["data"]["title"], created["data"]["description"]) == ("[erased]", "Kept")
    assert (retitled["data"]["from"], retitled["data"]["to"]) == ("[erased]", "Oil it")


async def test_what_is_said_now_is_changed_first(ana: Person) -> None:
    task = await ana.task(await ana.project(), title=SECRET)
    event = await newest(ana, "task.created")

    refused(await ana.post(f"/audit/{event['seq']}/redact", WHY), 409, "text_in_use")
    await ana.patch(f"/task/{task['id']}", {"title": "Oil it"})

    done(await ana.post(f"/audit/{event['seq']}/redact", WHY), 200)


async def test_a_second_time_records_nothing(ana: Person) -> None:
    _, event = await said(ana)
    done(await ana.post(f"/audit/{event['seq']}/redact", WHY), 200)
    before = await newest(ana, "content.redacted")

    again = done(await ana.post(f"/audit/{event['seq']}/redact", WHY), 200)

    assert again["redacted"] == []
    assert await newest(ana, "content.redacted") == before


async def test_a_dry_run_tells_what_would_go(ana: Person) -> None:
    path, event = await said(ana)

    told = done(await ana.post(f"/audit/{event['seq']}/redact", WHY, params={"dry_run": True}), 200)

    assert [each["type"] for each in told["events"]] == ["content.redacted"]
    assert SECRET in await everywhere(ana, path.split("/")[2])


async def test_an_event_without_such_a_text_is_refused(ana: Person) -> None:
    _, event = await said(ana)
    path = f"/audit/{event['seq']}/redact"

    refused(await ana.post(path, {**WHY, "fields": ["title"]}), 422, "no_such_text")
    refused(await ana.post("/audit/1000000/redact", WHY), 404, "not_found")
    joined = await newest(ana, "member.joined")
    refused(await ana.post(f"/audit/{joined['seq']}/redact", WHY), 422, "no_such_text")


async def test_what_is_said_of_a_person_goes_with_the_person(ana: Person) -> None:
    invited = {"email": "dan@acme.example", "role": "MEMBER"}
    done(await ana.post(f"/org/{ana.org_id}/invitations", invited), 201)
    event = await newest(ana, "member.invited")

    refused(await ana.post(f"/audit/{event['seq']}/redact", WHY), 409, "text_of_person")


async def test_a_legal_hold_keeps_every_text(ana: Person, system: System) -> None:
    path, event = await said(ana)
    await change_plan(ana, "PREMIUM")
    done(await ana.ask("PUT", f"/org/{ana.org_id}/legal-hold", json=WHY), 204)

    refused(await ana.post(f"/audit/{event['seq']}/redact", WHY), 409, "legal_hold")

    assert SECRET in await everywhere(ana, path.split("/")[2])


async def test_only_administrators_redact_and_only_in_their_organization(
    ana: Person, app: Litestar, system: System
) -> None:
    _, event = await said(ana)
    path = f"/audit/{event['seq']}/redact"
    for role in (Role.MANAGER, Role.MEMBER):
        person = await member(app, system, ana, role)
        refused(await person.post(path, WHY), 403, "not_permitted")

    eve = await sign_up(app)
    for seq in range(1, event["seq"] + 1):
        assert (await eve.post(f"/audit/{seq}/redact", WHY)).status_code in {404, 409, 422}

    assert (await newest(ana, "comment.posted"))["data"]["body"] == SECRET


async def test_two_at_once_redact_once(ana: Person) -> None:
    _, event = await said(ana)
    path = f"/audit/{event['seq']}/redact"

    answers = await asyncio.gather(*(ana.post(path, WHY) for _ in range(4)))

    gone = [done(each, 200)["redacted"] for each in answers]
    assert sorted(map(len, gone)) == [0, 0, 0, 1]
    assert len(done(await ana.get("/audit?type=content.redacted"), 200)["items"]) == 1


async def test_proofs_from_before_and_after_hold(ana: Person) -> None:
    _, event = await said(ana)
    proof_of = f"/audit/proof/inclusion?seq={event['seq']}"
    before = done(await ana.get(proof_of), 200)
    done(await ana.post(f"/audit/{event['seq']}/redact", WHY), 200)

    after = done(await ana.get(proof_of), 200)

    for each in (before, after):
        report = check_proof(json.dumps(each).encode(), each["vkey"])
        assert report is not None
        assert report.problems == []
    assert after["event"]["state"] == before["event"]["state"]
    assert "event.body" in before["event"]["disclosed"]
    assert "event.body" not in after["event"]["disclosed"]
