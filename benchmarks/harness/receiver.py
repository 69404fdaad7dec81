"""The customers' side of webhooks: who they are for, and when they arrive."""

import asyncio
import time
from contextlib import suppress

from commands.hooks.webhook import CreateWebhook
from domain.base import WebhookId
from security.sealing import MasterKeys

SECRET = b"whsec_" + b"a" * 43 + b"="
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


def webhook_of_tasks(webhook_id: WebhookId, url: str, master: MasterKeys) -> CreateWebhook:
    """Return the command that has every new task of an organization sent to *url*."""
    return CreateWebhook(
        webhook_id=webhook_id,
        url=url,
        events=("task.created",),
        from_seq=0,
        sealed_secret=master.wrap(SECRET, webhook_id),
    )


class WebhookReceiver:
    """Notes when webhooks arrive, by their paths, and accepts them."""

    def __init__(self) -> None:
        self._expected: dict[str, asyncio.Future[float]] = {}

    def expect(self, path: str) -> "asyncio.Future[float]":
        """Return the time at which the next webhook arrives there."""
        self._expected[path] = asyncio.get_running_loop().create_future()
        return self._expected[path]

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        with suppress(asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                now = time.perf_counter()
                length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length or b"0"))
                path = head.split(b" ", 2)[1].decode().strip("/")
                expected = self._expected.pop(path, None)
                if expected is not None:
                    expected.set_result(now)
                writer.write(ANSWER)
        writer.close()
