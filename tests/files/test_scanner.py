"""The scan hook: a command or a service says whether a file is clean, or nothing."""

import asyncio
import shlex
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from files.scanner import ScanCommand, ScanFailed, ScanService, ScanVerdict, scanner_of
from tests.files.scan import EICAR
from tests.listening import listening

SCAN = shlex.join([sys.executable, str(Path(__file__).with_name("scan.py"))])
MIB = 1024 * 1024


async def content(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def program(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


async def test_a_command_tells_clean_files_from_infected_ones() -> None:
    scanner = scanner_of(SCAN)

    assert await scanner.scan(content(b"all good", b"x" * 3 * MIB)) == ScanVerdict(clean=True)
    found = await scanner.scan(content(b"before ", EICAR))
    assert found == ScanVerdict(clean=False, found="Eicar-Signature")


async def test_a_command_may_end_before_it_has_read_the_file() -> None:
    hasty = ScanCommand(program("import sys; print('bad'); sys.exit(1)"))

    found = await hasty.scan(content(*[b"x" * MIB] * 5))

    assert found == ScanVerdict(clean=False, found="bad")


@pytest.mark.parametrize(
    "command",
    [
        "/nowhere/is/no/scanner",
        program("import sys; sys.stdin.buffer.read(); sys.exit(2)"),
        program("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"),
    ],
)
async def test_a_command_that_fails_says_nothing(command: str) -> None:
    with pytest.raises(ScanFailed):
        await scanner_of(command).scan(content(b"one"))


async def test_a_command_that_hangs_is_ended() -> None:
    hanging = ScanCommand(program("import time; time.sleep(60)"), deadline_s=0.5)

    async with asyncio.timeout(10):
        with pytest.raises(ScanFailed, match="too long"):
            await hanging.scan(content(*[b"x" * MIB] * 5))


@pytest.mark.parametrize(
    ("status", "said", "verdict"),
    [
        ("200 OK", b'{"clean": true}', ScanVerdict(clean=True)),
        ("200 OK", b'{"clean": false, "found": "Eicar"}', ScanVerdict(False, "Eicar")),
        ("200 OK", b"{}", None),
        ("500 Oh", b'{"clean": true}', None),
    ],
)
async def test_a_service_says_whether_a_file_is_clean(
    status: str, said: bytes, verdict: ScanVerdict | None
) -> None:
    taken = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"transfer-encoding: chunked" in head.lower()
        while size := int(await reader.readline(), 16):
            taken.extend(await reader.readexactly(size))
            await reader.readline()
        answer = f"HTTP/1.1 {status}\r\ncontent-length: {len(said)}\r\nconnection: close\r\n\r\n"
        writer.write(answer.encode() + said)
        await writer.drain()

    async with listening(serve) as server:
        scanner = scanner_of(f"http://127.0.0.1:{server.port}/scan")
        if verdict is None:
            with pytest.raises(ScanFailed):
                await scanner.scan(content(b"one", b"two"))
        else:
            assert await scanner.scan(content(b"one", b"two")) == verdict
    assert taken == b"onetwo"


async def test_a_service_that_says_nothing_is_given_up() -> None:
    async def say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(say_nothing) as server:
        silent = ScanService(f"http://127.0.0.1:{server.port}/", deadline_s=0.3)
        with pytest.raises(ScanFailed):
            await silent.scan(content(b"one"))
    with pytest.raises(ScanFailed):
        await silent.scan(content(b"one"))  # and nobody listens any more
