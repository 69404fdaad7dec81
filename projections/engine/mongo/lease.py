"""The lease of the active projector, and the sessions that its successor ends.

If a process is killed during a transaction, the transaction stays open on the server and locks
the documents it changed until it times out, by default after a minute. The holder therefore
stores the id of its session, and its successor ends that session first.
"""

import time
from typing import Any
from uuid import UUID

from bson import Binary
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

CONTROL = "control"
"""The collection of the control record and the lease, each one document."""
THE_CONTROL = {"_id": "control"}
THE_LEASE = {"_id": "lease"}

Stored = dict[str, Any]


class Lease:
    """The lease as this process knows it."""

    def __init__(self, client: AsyncMongoClient[Stored], database: AsyncDatabase[Stored]) -> None:
        self._client, self._database = client, database
        self._control = database[CONTROL]
        self._owner = ""
        self._fence = self._confirmed = 0
        self._session: AsyncClientSession | None = None
        self._abandoned: Binary | UUID | None = None

    async def create(self) -> None:
        """Create the two documents unless they exist."""
        control: Stored = {"revision": 0, "fence": 0}
        lease: Stored = {"owner": "", "until": 0.0, "fence": 0, "session": None}
        await self._control.update_one(THE_CONTROL, {"$setOnInsert": control}, upsert=True)
        await self._control.update_one(THE_LEASE, {"$setOnInsert": lease}, upsert=True)

    async def take(self, owner: str, seconds: float) -> int | None:
        """Take or renew the lease; return the fence, or None while another process holds it."""
        found = await self._control.find_one(THE_LEASE)
        if found is None:
            await self.create()
            found = await self._control.find_one(THE_LEASE) or {}
        # The clocks of two machines may differ; the fence keeps the writes correct all the same.
        now = time.time()
        held = found["owner"] not in ("", owner) and now < found["until"] <= now + 2 * seconds
        if held:
            return None
        fence: int = found["fence"] + (found["owner"] != owner)
        mine = {"owner": owner, "until": now + seconds, "fence": fence}
        before = {**THE_LEASE, "owner": found["owner"], "fence": found["fence"]}
        if not (await self._control.update_one(before, {"$set": mine})).matched_count:
            return None
        self._owner, self._fence = owner, fence
        if fence != self._confirmed:
            await self._shut_out(found["session"] if found["owner"] != owner else None)
        return fence

    async def _shut_out(self, session: Binary | UUID | None) -> None:
        """End the transaction that a dead holder left open, and refuse its later writes."""
        if session is not None:
            await self._end(session)
        older = {**THE_CONTROL, "fence": {"$lt": self._fence}}
        await self._control.update_one(older, {"$set": {"fence": self._fence}})
        self._confirmed = self._fence

    async def _end(self, session: Binary | UUID) -> None:
        """End a session and its transaction on the server."""
        await self._database.command("killSessions", [{"id": _binary(session)}])

    async def session(self) -> AsyncClientSession:
        """Return the session for writing, whose id is stored for the successor."""
        if self._abandoned is not None:
            await self._end(self._abandoned)
            self._abandoned = None
        if self._session is None:
            session = self._client.start_session()
            noted = {"$set": {"session": session.session_id["id"]}}
            await self._control.update_one({**THE_LEASE, "owner": self._owner}, noted)
            self._session = session
        return self._session

    async def forget_session(self) -> None:
        """Use a new session for the next write, which first ends this one.

        After a timeout, its transaction may be open on the server.
        """
        session, self._session = self._session, None
        if session is not None:
            self._abandoned = session.session_id["id"]
            await session.end_session()

    async def release(self, owner: str) -> None:
        """Release the lease if *owner* holds it."""
        free = {"$set": {"owner": "", "until": 0.0}}
        await self._control.update_one({**THE_LEASE, "owner": owner}, free)


def _binary(session: Binary | UUID) -> Binary:
    """Return the id in the form that commands need; the client's settings decide how it is read."""
    return session if isinstance(session, Binary) else Binary.from_uuid(session)
