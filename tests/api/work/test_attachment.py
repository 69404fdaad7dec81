"""Attachments over HTTP: what comes in comes out, as a file that no browser runs."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar

from runtime.system import System
from tests.api.stage import (
    Person,
    at_once,
    client_of,
    done,
    refused,
)

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
FILES = "/task/ENG-1/attachments"
NAMED = {"content-disposition": "attachment; filename*=UTF-8''pl%C3%A4n.png"}


@pytest.fixture
async def task(ana: Person) -> Any:
    return await ana.task(await ana.project())


async def attach(person: Person, content: bytes = PNG, **headers: str) -> Any:
    return done(await person.ask("POST", FILES, content=content, headers=headers), 201)


def stored(system: System) -> list[Path]:
    """Return every file in the store of the tests, and every part of one."""
    return [path for path in (system.settings.data_dir / "files").rglob("*") if path.is_file()]


@pytest.mark.usefixtures("task")
class TestUpload:
    async def test_a_file_comes_out_as_it_came_in(self, ana: Person, task: Any) -> None:
        response = await ana.ask(
            "POST", FILES, content=PNG, headers={**NAMED, "content-type": "image/png"}
        )

        file = done(response, 201)
        where = response.headers["location"]
        assert where == f"/api/task/{task['id']}/attachments/{file['id']}"
        assert (file["name"], file["type"], file["size"]) == ("plän.png", "image/png", len(PNG))
        assert file["sha256"] == hashlib.sha256(PNG).hexdigest()
        assert (file["state"], file["scanned"]) == ("CLEAN", False)
        assert done(await ana.get(where.removeprefix("/api")), 200) == file
        assert done(await ana.get(FILES), 200)["items"] == [file]
        content = await ana.get(f"{FILES}/{file['id']}/content")
        assert (content.status_code, content.content) == (200, PNG)
        assert content.headers["content-length"] == str(len(PNG))

    async def test_an_empty_file_is_a_file(self, ana: Person) -> None:
        file = await attach(ana, b"")

        content = await ana.get(f"{FILES}/{file['id']}/content")
        assert (file["size"], content.content) == (0, b"")

    async def test_a_large_file_is_streamed(self, ana: Person) -> None:
        large = PNG + bytes(3_000_000)
        file = await attach(ana, large)

        content = await ana.get(f"{FILES}/{file['id']}/content")
        assert content.content == large

    async def test_a_type_that_the_bytes_contradict_is_refused(
        self, ana: Person, system: System
    ) -> None:
        before = stored(system)
        headers = {"content-type": "image/png"}
        sent = await ana.ask("POST", FILES, content=b"<html></html>", headers=headers)

        problem = refused(sent, 415, "type_mismatch")

        assert (problem["declared"], problem["found"]) == ("image/png", "text/html")
        assert stored(system) == before

    async def test_a_form_is_no_file(self, ana: Person) -> None:
        sent = await ana.ask("POST", FILES, files={"file": b"one"})

        refused(sent, 415, "unsupported_media_type")

    async def test_a_body_without_a_length_is_refused(self, ana: Person) -> None:
        async def pieces() -> Any:
            yield b"one"

        refused(await ana.ask("POST", FILES, content=pieces()), 411, "length_required")

    async def test_a_body_that_is_not_as_long_as_promised_is_refused(
        self, ana: Person, system: System
    ) -> None:
        before = stored(system)
        for promised in ("2", "4"):
            headers = {"content-length": promised}
            sent = await ana.ask("POST", FILES, content=b"one", headers=headers)
            refused(sent, 400, "malformed_request")
        assert stored(system) == before

    async def test_a_file_beyond_the_plan_is_refused_before_it_is_sent(self, ana: Person) -> None:
        headers = {"content-length": str(10_000_001)}
        sent = await ana.ask("POST", FILES, content=b"one", headers=headers)

        problem = refused(sent, 402, "plan_limit")

        assert problem["what"] == "file_bytes"

    async def test_a_refused_file_leaves_nothing(
        self, app: Litestar, ana: Person, dan: Person, system: System, task: Any
    ) -> None:
        before = stored(system)

        refused(await dan.ask("POST", FILES, content=b"one"), 404, "not_found")
        theirs = f"/task/{task['id']}/attachments"
        refused(await dan.ask("POST", theirs, content=b"one"), 404, "not_found")
        done(await ana.post(f"/project/{task['projectId']}/archive"), 200)
        refused(await ana.ask("POST", FILES, content=b"one"), 409, "project_archived")
        async with client_of(app) as stranger:
            sent = await stranger.post(f"/api{FILES}", content=b"one")
            refused(sent, 401, "unauthorized")
        assert stored(system) == before

    async def test_a_dry_run_stores_nothing(self, ana: Person, system: System) -> None:
        before = stored(system)

        sent = await ana.ask("POST", f"{FILES}?dry_run=true", content=PNG)

        [event] = done(sent, 200)["events"]
        assert event["data"]["sha256"] == hashlib.sha256(PNG).hexdigest()
        assert stored(system) == before
        assert done(await ana.get(FILES), 200)["items"] == []

    async def test_a_doubled_upload_is_one_file(self, ana: Person, system: System) -> None:
        before = len(stored(system))
        key = {"idempotency-key": "twice"}
        first = await attach(ana, PNG, **key)

        again = await ana.ask("POST", FILES, content=PNG, headers=key)
        other = await ana.ask("POST", FILES, content=b"other", headers=key)

        assert done(again, 201) == first
        assert again.headers["idempotent-replayed"] == "true"
        refused(other, 422, "idempotency_key_reused")
        assert len(stored(system)) == before + 1
        assert len(done(await ana.get(FILES), 200)["items"]) == 1

    async def test_uploads_at_once_with_one_key_are_one_file(
        self, ana: Person, system: System
    ) -> None:
        before = len(stored(system))
        key = {"idempotency-key": "race"}

        sent = await at_once(*(ana.ask("POST", FILES, content=PNG, headers=key) for _ in range(3)))

        assert len({done(each, 201)["id"] for each in sent}) == 1
        assert len(stored(system)) == before + 1

    async def test_somebody_has_a_few_uploads_at_a_time(self, ana: Person) -> None:
        sent = await at_once(*(ana.ask("POST", FILES, content=PNG) for _ in range(12)))

        kinds = {each.status_code for each in sent}
        assert kinds <= {201, 503}
        assert 201 in kinds
        done(await ana.ask("POST", FILES, content=PNG), 201)

    async def test_usage_counts_the_bytes(self, ana: Person) -> None:
        file = await attach(ana)
        usage = f"/org/{ana.org_id}/usage"
        assert done(await ana.get(usage), 200)["used"]["storageBytes"] == len(PNG)

        done(await ana.delete(f"{FILES}/{file['id']}"), 204)

        assert done(await ana.get(usage), 200)["used"]["storageBytes"] == 0
