"""A transaction whose owner was killed holds nobody up for long."""

import asyncio
from typing import Any

import pytest
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from projections.engine.transaction import Transactions

pytestmark = pytest.mark.servers
Database = AsyncDatabase[dict[str, Any]]
PATIENCE_S = 20.0


async def insist(transactions: Transactions, body: Any) -> None:
    """Run *body* as a projector does: again and again while another try may work."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await transactions.run(body)
            except PyMongoError as error:
                if not error.has_error_label("TransientTransactionError"):
                    raise
                await asyncio.sleep(0.05)


async def test_a_successor_ends_the_open_transaction_of_a_killed_writer(database: Database) -> None:
    things = database["things"]
    await things.insert_one({"_id": 1, "n": 0})
    orphaned: list[AsyncClientSession] = []
    left_open = asyncio.Event()

    async def die(session: AsyncClientSession) -> None:
        await things.update_one({"_id": 1}, {"$inc": {"n": 100}}, session=session)
        orphaned.append(session)
        left_open.set()
        await asyncio.Event().wait()

    dead = asyncio.create_task(Transactions(database, "writer").run(die))
    await left_open.wait()

    async def write(session: AsyncClientSession) -> None:
        await things.update_one({"_id": 1}, {"$inc": {"n": 1}}, session=session)

    await insist(Transactions(database, "writer"), write)

    found = await things.find_one({"_id": 1})
    assert found is not None
    assert found["n"] == 1
    dead.cancel()
    with pytest.raises((asyncio.CancelledError, PyMongoError)):
        await dead


async def test_one_session_serves_many_transactions(database: Database) -> None:
    transactions = Transactions(database, "writer")
    sessions: set[bytes] = set()

    async def write(session: AsyncClientSession) -> None:
        sessions.add(bytes(session.session_id["id"]))
        await database["things"].insert_one({"n": 1}, session=session)

    for _ in range(3):
        await transactions.run(write)

    assert len(sessions) == 1
    assert await database["things"].count_documents({}) == 3
