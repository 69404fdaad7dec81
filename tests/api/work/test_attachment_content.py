"""The contents of attachments over HTTP: whole, in parts, by links, and never run by a browser."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar

from domain.identity.organization.membership import Role
from files.download_links import LINK_LIFETIME
from runtime.system import System
from tests.api.conftest import Make
from tests.api.stage import (
    MovableClock,
    Person,
    client_of,
    done,
    join,
    log_in,
    refused,
    sign_up,
)

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
FILES = "/task/ENG-1/attachments"
NAMED = {"content-disposition": "attachment; filename*=UTF-8''pl%C3%A4n.png"}


@pytest.fixture
async def task(ana: Person) -> Any:
    return await ana.task(await ana.project())


async def attach(person: Person, content: bytes = PNG, **headers: str) -> Any:
    return done(await person.ask("POST", FILES, content=content, headers=headers), 201)


def _with_another_letter(url: str) -> str:
    """Return a link whose signature is another one; its last letter has bits that mean nothing."""
    return url[:-5] + ("B" if url[-5] == "A" else "A") + url[-4:]


def stored(system: System) -> list[Path]:
    """Return every file in the store of the tests, and every part of one."""
    return [path for path in (system.settings.data_dir / "files").rglob("*") if path.is_file()]


@pytest.mark.usefixtures("task")
class TestDownload:
    async def test_a_browser_saves_a_file_and_never_shows_it(self, ana: Person) -> None:
        page = b"<html><script>alert(1)</script></html>"
        name = "attachment; filename=\"a.html\"; filename*=UTF-8''%22b%C3%BC.html"
        file = await attach(ana, page, **{"content-type": "text/html", "content-disposition": name})

        headers = (await ana.get(f"{FILES}/{file['id']}/content")).headers

        assert file["name"] == "_bü.html"
        assert headers["content-disposition"] == (
            "attachment; filename=\"_b_.html\"; filename*=UTF-8''_b%C3%BC.html"
        )
        assert headers["content-security-policy"].startswith("sandbox;")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "private, no-cache"
        assert headers["etag"] == f'"{file["sha256"]}"'

    @pytest.mark.parametrize(
        ("asked", "start", "end"),
        [
            ("bytes=0-0", 0, 1),
            ("bytes=10-19", 10, 20),
            ("bytes=10-", 10, None),
            ("bytes=-10", -10, None),
            ("bytes=10-99999999", 10, None),
            ("bytes=-99999999", 0, None),
        ],
    )
    async def test_a_part_of_a_file(
        self, ana: Person, asked: str, start: int, end: int | None
    ) -> None:
        file = await attach(ana)

        part = await ana.get(f"{FILES}/{file['id']}/content", headers={"range": asked})

        assert (part.status_code, part.content) == (206, PNG[start:end])
        size = len(PNG)
        first = start % size
        last = first + len(part.content) - 1
        assert part.headers["content-range"] == f"bytes {first}-{last}/{size}"

    @pytest.mark.parametrize(
        "asked", ["bytes=0-1,4-5", "lines=1-2", "bytes=5-2", "bytes=-", "bytes=a-b", "bytes=1"]
    )
    async def test_what_is_no_single_range_gives_the_whole_file(
        self, ana: Person, asked: str
    ) -> None:
        file = await attach(ana)

        whole = await ana.get(f"{FILES}/{file['id']}/content", headers={"range": asked})

        assert (whole.status_code, whole.content) == (200, PNG)

    async def test_a_part_behind_the_end_is_refused(self, ana: Person) -> None:
        path = f"{FILES}/{(await attach(ana))['id']}/content"

        for asked in (f"bytes={len(PNG)}-", "bytes=-0"):
            gone = await ana.get(path, headers={"range": asked})
            assert refused(gone, 416, "range_not_satisfiable")["size"] == len(PNG)
            assert gone.headers["content-range"] == f"bytes */{len(PNG)}"

    async def test_conditions_compare_the_hash(self, ana: Person) -> None:
        file = await attach(ana)
        path, tag = f"{FILES}/{file['id']}/content", f'"{file["sha256"]}"'

        known = await ana.get(path, headers={"if-none-match": tag})
        same = await ana.get(path, headers={"if-range": tag, "range": "bytes=0-3"})
        other = await ana.get(path, headers={"if-range": '"0"', "range": "bytes=0-3"})

        assert (known.status_code, known.content) == (304, b"")
        assert (same.status_code, same.content) == (206, PNG[:4])
        assert (other.status_code, other.content) == (200, PNG)

    async def test_head_says_what_get_would(self, ana: Person) -> None:
        path = f"{FILES}/{(await attach(ana))['id']}/content"

        head = await ana.ask("HEAD", path)

        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(PNG))

    async def test_a_file_that_is_gone_from_the_store_is_said_to_be_missing(
        self, ana: Person, system: System
    ) -> None:
        file = await attach(ana)
        for path in stored(system):
            if path.name == file["id"]:
                path.unlink()

        refused(await ana.get(f"{FILES}/{file['id']}/content"), 503, "file_missing")

    async def test_a_deleted_file_is_nowhere_until_it_is_restored(self, ana: Person) -> None:
        file = await attach(ana)
        path = f"{FILES}/{file['id']}"
        done(await ana.delete(path), 204)

        for gone in ("", "/content", "/link"):
            refused(await ana.get(path + gone), 404, "not_found")
        assert done(await ana.get(FILES), 200)["items"] == []

        restored = done(await ana.post(f"{path}/restore"), 200)
        changing = ("version", "updatedAt")
        assert {n: v for n, v in restored.items() if n not in changing} == {
            n: v for n, v in file.items() if n not in changing
        }
        assert (await ana.get(f"{path}/content")).content == PNG

    async def test_a_file_that_waits_for_its_scan_is_not_given_out(
        self, ana: Person, make_app: Make
    ) -> None:
        scanned = Person(
            client_of(make_app(scan_hook="true")),
            ana.email,
            {"id": ana.id, "organizationId": ana.org_id},
            ana.token,
        )
        file = await attach(scanned)

        assert file["state"] == "PENDING"
        for part in ("content", "link"):
            refused(await ana.get(f"{FILES}/{file['id']}/{part}"), 409, "scan_pending")
        await scanned.client.aclose()

    async def test_strangers_find_no_file(self, ana: Person, dan: Person, task: Any) -> None:
        file = await attach(ana)
        await dan.task(await dan.project())

        for base in (f"/task/{task['id']}/attachments", FILES):
            for part in ("", "/content", "/link"):
                refused(await dan.get(f"{base}/{file['id']}{part}"), 404, "not_found")


@pytest.mark.usefixtures("task")
class TestLink:
    async def test_a_link_gives_out_its_file_without_a_token_for_a_while(
        self, app: Litestar, ana: Person, clock: MovableClock
    ) -> None:
        file = await attach(ana)
        link = done(await ana.get(f"{FILES}/{file['id']}/link"), 200)

        async with client_of(app) as anybody:
            found = await anybody.get(link["url"])
            part = await anybody.get(link["url"], headers={"range": "bytes=0-3"})
            forged = await anybody.get(_with_another_letter(link["url"]))
            clock.ahead = LINK_LIFETIME + timedelta(seconds=1)
            late = await anybody.get(link["url"])

        assert (found.status_code, found.content) == (200, PNG)
        assert (part.status_code, part.content) == (206, PNG[:4])
        for gone in (forged, late):
            refused(gone, 404, "not_found")

    async def test_a_link_works_only_while_its_maker_may_see_the_task(
        self, app: Litestar, system: System, ana: Person
    ) -> None:
        ben = await sign_up(app)
        await join(system, ben, ana.org_id, Role.MEMBER)
        ben.token = await log_in(ben.client, ben.email)
        file = await attach(ana)
        path = f"{FILES}/{file['id']}"
        url = done(await ben.get(f"{path}/link"), 200)["url"]

        async with client_of(app) as anybody:
            assert (await anybody.get(url)).status_code == 200
            done(await ana.delete("/task/ENG-1"), 204)
            refused(await anybody.get(url), 404, "not_found")
            done(await ana.post("/task/ENG-1/restore"), 200)
            done(await ana.delete(path), 204)
            refused(await anybody.get(url), 404, "not_found")
            done(await ana.post(f"{path}/restore"), 200)
            assert (await anybody.get(url)).status_code == 200
            done(await ana.delete(f"/org/{ana.org_id}/members/{ben.id}"), 204)
            refused(await anybody.get(url), 404, "not_found")
        await ben.client.aclose()

    async def test_an_api_key_gets_the_file_and_no_link(self, app: Litestar, ana: Person) -> None:
        file = await attach(ana)
        asked = {"name": "CI", "scopes": {"task": ["read"]}}
        key = done(await ana.post("/apikey", asked), 201)["key"]
        headers = {"x-api-key": key}

        async with client_of(app) as program:
            content = await program.get(f"/api{FILES}/{file['id']}/content", headers=headers)
            link = await program.get(f"/api{FILES}/{file['id']}/link", headers=headers)

        assert content.content == PNG
        refused(link, 403, "not_for_api_keys")
