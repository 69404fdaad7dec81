"""What the tests of sending share: names without DNS, short deadlines, expected failures."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_network

import pytest

from deliveries.client import WebhookClient
from deliveries.dialing import SendFailed
from security.url_guard import IPAddress, Target, UrlGuard

LOOPBACK = ip_network("127.0.0.0/8")
DEADLINE_S = 1.0
"""Long enough for the head of an answer on a busy machine."""
JSON = {"Content-Type": "application/json"}


class ScriptedDns:
    """Answers look-ups in turn and counts them."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[IPAddress]:
        self.asked.append(host)
        return [ip_address(text) for text in self._answers.pop(0)]


class NamesOnAnyPort(UrlGuard):
    """Lets test names have the receiver's port; addresses are checked as ever."""

    def check_url(self, url: str) -> Target:
        scheme, rest = url.split("://")
        host, port = rest.removesuffix("/hook").split(":")
        return Target(scheme, host, int(port), "/hook")


async def failure_of(
    client: WebhookClient, url: str, headers: Mapping[str, str] = JSON
) -> SendFailed:
    with pytest.raises(SendFailed) as failed:
        await client.post("endpoint", url, headers, b"{}")
    assert failed.value.reason
    return failed.value
