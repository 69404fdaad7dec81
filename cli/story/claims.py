"""Claims, which are printed only after they were checked."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx
from rich.console import Console

from cli.running import Running, find_running
from cli.story.receiver import Receiver

STORY_PASSWORD = "a long walk beside the river"  # noqa: S105  of an account that lives for one demo
RETRY_S = 60.0
_POLL_S = 0.05


class ClaimFailed(Exception):
    """A claim of the story is false."""


class Story:
    """The context of the story: the system, an administrator of a new organization, a receiver."""

    def __init__(self, console: Console, running: Running) -> None:
        self.console, self.running = console, running
        self.http = httpx.AsyncClient(base_url=f"{running.url}/api", timeout=30)
        self.receiver = Receiver()
        self.slug = f"demo-{uuid4().hex[:10]}"
        self.email = f"{self.slug}@example.com"
        self.organization: dict[str, Any] = {}
        self.project: dict[str, Any] = {}
        self.webhook: dict[str, Any] = {}
        self.export = b""

    async def __aenter__(self) -> Self:
        self.receiver.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()
        self.receiver.stop()

    def claim(self, what: str, holds: object) -> None:
        """Print *what* if it is true.

        :raises ClaimFailed: it is false.
        """
        if not holds:
            raise ClaimFailed(what)
        self.console.print(f"  [green]✓[/green] {what}")

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Return the JSON of a successful response.

        A GET that gets 503, because a projector was just killed, is repeated.

        :raises ClaimFailed: the request failed.
        """
        deadline = time.monotonic() + RETRY_S
        answer = await self.http.request(method, path, json=body, headers=headers)
        while answer.status_code == 503 and method == "GET" and time.monotonic() < deadline:
            await asyncio.sleep(float(answer.headers.get("retry-after", "1")))
            answer = await self.http.request(method, path, json=body, headers=headers)
        if answer.is_error:
            raise ClaimFailed(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    async def insist(self, method: str, path: str, body: Any, key: str) -> Any:
        """Retry a request with the same Idempotency-Key until there is a response."""
        deadline = time.monotonic() + RETRY_S
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                answer = await self.http.request(
                    method, path, json=body, headers={"idempotency-key": key}
                )
                if answer.status_code < 500:
                    answer.raise_for_status()
                    return answer.json()
            await asyncio.sleep(_POLL_S)
        raise ClaimFailed(f"{method} {path} got no response for {RETRY_S:.0f} s")

    async def until(
        self, holds: Callable[[], Awaitable[bool]], what: str, timeout_s: float = 60.0
    ) -> None:
        """Return once *holds* returns true.

        :raises ClaimFailed: it did not within the time limit.
        """
        deadline = time.monotonic() + timeout_s
        while not await holds():
            if time.monotonic() > deadline:
                raise ClaimFailed(f"waited {timeout_s:.0f} s for {what}")
            await asyncio.sleep(_POLL_S)

    def refresh(self) -> Running:
        """Return the system as it runs now: restarted processes have new ids."""
        found = find_running(Path(self.running.data_dir))
        self.running = found or self.running
        return self.running
