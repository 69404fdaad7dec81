"""Operational state in memory."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from eventstore.operations.memory import MemoryOperations
from tests.eventstore.operations.contract import OperationsContract


class TestMemoryOperations(OperationsContract):
    """The contract."""

    counts_transactions = False

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[MemoryOperations]:
        store = MemoryOperations()
        await store.open()
        yield store
        await store.close()
