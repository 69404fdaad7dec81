"""The scan hook: a command or a web service that looks at a file before anybody gets it.

A command reads the file from its standard input and ends with 0 for a clean file and 1 for one
that is not, as ``clamdscan -`` does; its first line of output names what it found. A service gets
the file as the body of a POST and answers ``{"clean": true}`` or, with what it found,
``{"clean": false, "found": "…"}``.
"""

import asyncio
import contextlib
import shlex
from collections.abc import AsyncIterator
from typing import NamedTuple, Protocol

import msgspec

SCAN_DEADLINE_S = 300.0
"""How long a scan may take; a file of 1 GB that is read at 10 MB/s takes 100 s."""
FOUND_CHARS_MAX = 200
_CLEAN, _FOUND = 0, 1
_ENDING_S = 5.0


class ScanFailed(Exception):
    """A scanner did not answer, or not what was agreed; another try may help."""


class ScanVerdict(NamedTuple):
    """What a scanner says about a file."""

    clean: bool
    found: str | None = None


class Scanner(Protocol):
    """Looks at files."""

    async def scan(self, content: AsyncIterator[bytes]) -> ScanVerdict:
        """Return what the scanner says.

        :raises ScanFailed: it says nothing.
        """
        ...


def scanner_of(hook: str) -> Scanner:
    """Return the scanner that ``SCAN_HOOK`` names."""
    if hook.startswith(("http://", "https://")):
        return ScanService(hook)
    return ScanCommand(hook)


class ScanCommand:
    """Runs a command for each file."""

    def __init__(self, command: str, *, deadline_s: float = SCAN_DEADLINE_S) -> None:
        self._argv, self._deadline_s = shlex.split(command), deadline_s

    async def scan(self, content: AsyncIterator[bytes]) -> ScanVerdict:
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *self._argv, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
            )
        except (OSError, ValueError) as error:
            raise ScanFailed(f"cannot run {self._argv[:1]}: {error}") from None
        try:
            async with asyncio.timeout(self._deadline_s):
                said, _ = await asyncio.gather(_output(process), _feed(process, content))
                code = await process.wait()
        except TimeoutError:
            raise ScanFailed("the scan took too long") from None
        finally:
            await _end(process)
        if code not in (_CLEAN, _FOUND):
            raise ScanFailed(f"the scan command ended with status {code}")
        return ScanVerdict(code == _CLEAN, None if code == _CLEAN else said)


class ScanService:
    """Sends each file to a web service."""

    def __init__(self, url: str, *, deadline_s: float = SCAN_DEADLINE_S) -> None:
        self._url, self._deadline_s = url, deadline_s

    async def scan(self, content: AsyncIterator[bytes]) -> ScanVerdict:
        # Imported here: a process that scans nothing has no use for it.
        import httpx  # noqa: PLC0415 - as above

        try:
            async with asyncio.timeout(self._deadline_s):
                async with httpx.AsyncClient(timeout=self._deadline_s, trust_env=False) as client:
                    answer = await client.post(self._url, content=content)
                if answer.status_code != 200:
                    raise ScanFailed(f"the scan service answered {answer.status_code}")
                said = msgspec.json.decode(answer.content, type=_Answer)
        except TimeoutError:
            raise ScanFailed("the scan took too long") from None
        except (httpx.HTTPError, msgspec.MsgspecError) as error:
            raise ScanFailed(f"the scan service: {error!r}") from None
        return ScanVerdict(said.clean, None if said.clean else (said.found or "")[:FOUND_CHARS_MAX])


class _Answer(msgspec.Struct):
    clean: bool
    found: str | None = None


async def _feed(process: asyncio.subprocess.Process, content: AsyncIterator[bytes]) -> None:
    """Write a file to a command, which may end before it has read all."""
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        async for piece in content:
            process.stdin.write(piece)
            await process.stdin.drain()
    process.stdin.close()


async def _output(process: asyncio.subprocess.Process) -> str:
    """Return the first line that a command prints; the rest is read and dropped."""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    kept = b""
    while some := await process.stdout.read(4096):
        kept = (kept + some)[:4096]
    first = kept.decode(errors="replace").strip().partition("\n")[0]
    return "".join(filter(str.isprintable, first))[:FOUND_CHARS_MAX]


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ENDING_S):
                await process.wait()
