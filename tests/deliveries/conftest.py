"""A receiver and clients that may reach it, for the tests of what is sent."""

from collections.abc import AsyncIterator

import pytest

from deliveries.client import WebhookClient
from security.url_guard import UrlGuard
from tests.deliveries.receiver import Receiver
from tests.deliveries.sending import DEADLINE_S, LOOPBACK


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
