"""Uploads over real sockets that are cut off, doubled, too large, too slow, or lie."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from litestar import Litestar

from api import upload
from runtime.system import System
from tests.api.connection.serving import Served, eventually, serving
from tests.api.stage import Person, done

PNG = b"\x89PNG\r\n\x1a\n" + bytes(2_000)


@pytest.fixture
async def served(app: Litestar) -> AsyncIterator[Served]:
    async with serving(app) as served:
        yield served


@pytest.fixture
async def head(ana: Person) -> bytes:
    """Return the beginning of an upload, without its length."""
    await ana.task(await ana.project())
    return (
        b"POST /api/task/ENG-1/attachments HTTP/1.1\r\nHost: localhost\r\n"
        b"Authorization: Bearer " + ana.token.encode() + b"\r\n"
    )


def stored(system: System) -> list[Path]:
    return [path for path in (system.settings.data_dir / "files").rglob("*") if path.is_file()]


async def listed(ana: Person) -> int:
    return len(done(await ana.get("/task/ENG-1/attachments"), 200)["items"])


def problem(response: tuple[int, dict[str, str], bytes]) -> tuple[int, str]:
    return response[0], json.loads(response[2])["code"]


def promising(head: bytes, size: int) -> bytes:
    return head + b"Content-Length: %d\r\n\r\n" % size


async def test_a_whole_file_is_taken_and_the_connection_used_again(
    served: Served, head: bytes, ana: Person
) -> None:
    async with served.client() as client:
        for _ in range(2):
            status, headers, body = await client.ask(promising(head, len(PNG)) + PNG)
            assert (status, json.loads(body)["size"]) == (201, len(PNG))
            assert "connection" not in headers
    assert await listed(ana) == 2


async def test_an_upload_that_is_cut_off_leaves_nothing(
    served: Served, head: bytes, ana: Person, system: System
) -> None:
    before = stored(system)
    async with served.client() as client:
        await client.send(promising(head, 3_000_000) + PNG + bytes(1_500_000))
        await eventually(lambda: len(stored(system)) > len(before))

    await eventually(lambda: stored(system) == before)
    assert await listed(ana) == 0


async def test_bytes_beyond_the_promise_are_no_part_of_the_file(
    served: Served, head: bytes, ana: Person
) -> None:
    async with served.client() as client:
        status, _, body = await client.ask(promising(head, 10) + PNG)
        assert (status, json.loads(body)["size"]) == (201, 10)
        assert (await client.rest()).startswith(b"HTTP/1.1 400")
    assert await listed(ana) == 1


async def test_a_file_that_is_too_large_is_refused_without_being_asked_for(
    served: Served, head: bytes, system: System
) -> None:
    before = stored(system)
    expecting = head + b"Expect: 100-continue\r\n"
    async with served.client() as client:
        response = await client.ask(promising(expecting, 10_000_001))
        assert problem(response) == (402, "plan_limit")
        assert response[1]["connection"] == "close"
    async with served.client() as client:  # a small one is asked for
        await client.send(promising(expecting, len(PNG)))
        async with asyncio.timeout(10):
            assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        status, _, _ = await client.ask(PNG)
        assert status == 201
    assert len(stored(system)) == len(before) + 1


async def test_who_sends_on_regardless_is_hung_up_on(
    served: Served, head: bytes, system: System
) -> None:
    before = stored(system)
    async with served.client() as client:
        await client.send(promising(head, 10_000_001) + bytes(500_000))
        assert problem(await client.response()) == (402, "plan_limit")
        await client.rest()
    assert stored(system) == before


async def test_a_small_body_that_is_refused_keeps_its_connection(
    served: Served, head: bytes, system: System
) -> None:
    lying = head + b"Content-Type: image/png\r\n"
    async with served.client() as client:
        refusal = await client.ask(promising(lying, 9) + b"not a PNG")
        assert problem(refusal) == (415, "type_mismatch")
        status, _, _ = await client.ask(promising(lying, len(PNG)) + PNG)
        assert status == 201


async def test_two_lengths_and_none_are_refused(served: Served, head: bytes) -> None:
    for lengths in (b"Content-Length: 3\r\nContent-Length: 4\r\n", b"Content-Length: x\r\n"):
        async with served.client() as client:
            response = await client.ask(head + lengths + b"\r\none")
            assert response[0] == 400
    async with served.client() as client:
        chunked = head + b"Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n"
        assert problem(await client.ask(chunked)) == (411, "length_required")


async def test_a_client_that_sends_nothing_more_is_given_up(
    served: Served, head: bytes, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "PIECE_DEADLINE_S", 0.2)
    before = stored(system)
    async with served.client() as client:
        response = await client.ask(promising(head, len(PNG)) + PNG[:100])
        assert problem(response) == (408, "request_timeout")
    assert stored(system) == before


async def test_a_client_that_trickles_is_given_up(
    served: Served, head: bytes, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "SLOW_GRACE_S", 0.2)
    before = stored(system)
    async with served.client() as client:
        await client.send(promising(head, len(PNG)))
        response = asyncio.create_task(client.response())
        while not response.done():
            await client.send(b"x")
            await asyncio.sleep(0.02)
        assert problem(await response) == (408, "request_timeout")
    assert stored(system) == before


async def test_every_other_route_takes_json_in_bounds(served: Served, head: bytes) -> None:
    elsewhere = head.replace(b"/attachments", b"/comments")
    async with served.client() as client:
        large = promising(elsewhere + b"Content-Type: application/json\r\n", 2_000_000)
        assert problem(await client.ask(large)) == (413, "body_too_large")
    async with served.client() as client:
        response = await client.ask(promising(elsewhere, len(PNG)) + PNG)
        assert problem(response) == (415, "unsupported_media_type")
