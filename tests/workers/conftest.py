"""A receiver and clients that may reach it, for the tests of what workers send."""

from collections.abc import AsyncIterator

import pytest

from security.url_guard import UrlGuard
from tests.workers.receiver import Receiver
from tests.workers.sending import DEADLINE_S, LOOPBACK
from workers.client import WebhookClient


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def client() -> AsyncIterator[WebhookClient]:
    async with WebhookClient(UrlGuard([LOOPBACK])) as client:
        yield client


@pytest.fixture
async def hasty() -> AsyncIterator[WebhookClient]:
    async with WebhookClient(UrlGuard([LOOPBACK]), deadline_s=DEADLINE_S) as client:
        yield client
