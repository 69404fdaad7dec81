"""A log with one project and one task, and two handlers that work on it."""

from collections.abc import AsyncIterator

import pytest

from commands.handler import CommandHandler
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from tests.commands.acme import HERE
from tests.spec import opened, record


@pytest.fixture
async def log() -> AsyncIterator[EventLog]:
    async with opened(MemoryStore()) as log:
        await record(log, *HERE)
        yield log


@pytest.fixture
def handler(log: EventLog) -> CommandHandler:
    return CommandHandler(log)


@pytest.fixture
def elsewhere(log: EventLog) -> CommandHandler:
    """Give a second handler, which like another process has a memory of its own."""
    return CommandHandler(log)
