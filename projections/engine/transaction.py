"""Transactions whose orphans can be ended by whoever comes next.

A process killed in the middle of a transaction leaves it open on the server, and what it touched
stays locked until the server gives up on it, by default after a minute. So a writer notes under
which session it works, and a successor that keeps meeting a conflict ends the sessions noted
there. Ending the session of a writer that lives does it no harm: its transaction fails and is
tried again.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

from bson import Binary
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

WRITERS = "writers"
ORPHAN_AFTER_S = 1.5
"""How long conflicts may go on before their cause is taken for dead: many a batch is shorter."""
TRANSIENT = "TransientTransactionError"

T = TypeVar("T")


class Transactions:
    """The transactions of one writer, one after the other, in one session."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]], name: str) -> None:
        """Write as *name*: two writers of one name are those that could be in each other's way."""
        self._database, self._name = database, name
        self._session: AsyncClientSession | None = None
        self._conflicts_since: float | None = None

    async def run(self, body: Callable[[AsyncClientSession], Awaitable[T]]) -> T:
        """Run *body* in a transaction and commit it; nothing is left of one that fails.

        :raises PyMongoError: with the label TransientTransactionError when another try may work.
        """
        session = self._session or await self._begin()
        try:
            async with await session.start_transaction():
                done = await body(session)
        except PyMongoError as error:
            self._session = None
            await session.end_session()
            if error.has_error_label(TRANSIENT):
                await self._suspect_orphans()
            raise
        self._conflicts_since = None
        return done

    async def _begin(self) -> AsyncClientSession:
        session = self._database.client.start_session()
        noted = {"$addToSet": {"sessions": session.session_id["id"]}}
        await self._database[WRITERS].update_one({"_id": self._name}, noted, upsert=True)
        self._session = session
        return session

    async def _suspect_orphans(self) -> None:
        now = time.monotonic()
        if self._conflicts_since is None:
            self._conflicts_since = now
        if now - self._conflicts_since < ORPHAN_AFTER_S:
            return
        self._conflicts_since = None
        found = await self._database[WRITERS].find_one({"_id": self._name})
        noted: list[Binary | UUID] = found["sessions"] if found else []
        if noted:
            await self._database.command("killSessions", [{"id": _binary(s)} for s in noted])
            forgotten = {"$pullAll": {"sessions": noted}}
            await self._database[WRITERS].update_one({"_id": self._name}, forgotten)


def _binary(session: Binary | UUID) -> Binary:
    """Return the id as commands take it; how it is read back is a setting of the client."""
    return session if isinstance(session, Binary) else Binary.from_uuid(session)
