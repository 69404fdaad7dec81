"""The leases of the partitions, and the sessions that a successor ends.

If a process is killed during a transaction, the transaction stays open on the server and locks
the documents it changed until it times out, by default after a minute. A holder therefore stores
the id of its session, and its successor ends that session first.
"""

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from bson import Binary
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

CONTROL = "control"
"""The collection of the plan and of the record of each partition."""
THE_PLAN = {"_id": "plan"}
LEASE_RECORDS = "leases"
"""The collection of the leases, one for each partition, by its number."""

Stored = dict[str, Any]


def id_of_part(part: int) -> str:
    """Return the id of the record of a partition."""
    return f"part {part}"


class MongoLeases:
    """The leases as this process knows them."""

    def __init__(self, client: AsyncMongoClient[Stored], database: AsyncDatabase[Stored]) -> None:
        self._client, self._database = client, database
        self._control, self._leases = database[CONTROL], database[LEASE_RECORDS]
        self._owner = ""
        self._confirmed: dict[int, int] = {}
        self._session: AsyncClientSession | None = None
        self._abandoned: Binary | UUID | None = None

    async def create(self) -> None:
        """Create the record of the plan unless it exists."""
        control: Stored = {"revision": 0, "fence": 0}
        await self._control.update_one(THE_PLAN, {"$setOnInsert": control}, upsert=True)

    async def take(self, owner: str, seconds: float, parts: Sequence[int]) -> dict[int, int]:
        """Take or renew leases; return the fences of those that nobody else holds."""
        found = await self._found(parts)
        # The clocks of two machines may differ; the fence keeps the writes correct all the same.
        now = time.time()
        ours = [part for part, lease in found.items() if lease["owner"] == owner]
        if ours:
            still = {"_id": {"$in": ours}, "owner": owner}
            renewed = await self._leases.update_many(still, {"$set": {"until": now + seconds}})
            if renewed.matched_count != len(ours):  # somebody has taken one at this moment
                return await self.take(owner, seconds, parts)
        fences = {part: int(found[part]["fence"]) for part in ours}
        for part, lease in found.items():
            held = lease["owner"] and now < lease["until"] <= now + 2 * seconds
            if lease["owner"] != owner and not held and await self._take(owner, seconds, lease):
                fences[part] = lease["fence"] + 1
        for part, fence in fences.items():
            if self._confirmed.get(part) != fence:
                before = found[part]
                dead = before["session"] if before["owner"] != owner else None
                await self._shut_out(part, fence, dead)
        return fences

    async def _found(self, parts: Sequence[int]) -> dict[int, Stored]:
        """Return the leases as they are stored, after creating those that are missing."""
        asked = {"_id": {"$in": list(parts)}}
        found = {lease["_id"]: lease async for lease in self._leases.find(asked)}
        for part in parts:
            if part not in found:
                new: Stored = {"owner": "", "until": 0.0, "fence": 0, "session": None}
                await self._leases.update_one({"_id": part}, {"$setOnInsert": new}, upsert=True)
                found[part] = {"_id": part, **new}
        return found

    async def _take(self, owner: str, seconds: float, found: Stored) -> bool:
        mine = {"owner": owner, "until": time.time() + seconds, "fence": found["fence"] + 1}
        if self._session is not None:
            mine["session"] = self._session.session_id["id"]
        before = {"_id": found["_id"], "owner": found["owner"], "fence": found["fence"]}
        taken = (await self._leases.update_one(before, {"$set": mine})).matched_count
        self._owner = owner if taken else self._owner
        return bool(taken)

    async def _shut_out(self, part: int, fence: int, session: Binary | UUID | None) -> None:
        """End the transaction that a dead holder left open, and refuse its later writes."""
        if session is not None:
            await self._end(session)
        newer = {"$max": {"fence": fence}}
        first = {"$setOnInsert": {"token": ""}}
        await self._control.update_one({"_id": id_of_part(part)}, newer | first, upsert=True)
        if part == 0:
            await self.create()
            await self._control.update_one(THE_PLAN, newer)
        self._confirmed[part] = fence

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
            await self._leases.update_many({"owner": self._owner}, noted)
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

    async def release(self, owner: str, parts: Sequence[int]) -> None:
        """Release those of the leases that *owner* holds, with nothing written under them."""
        free = {"$set": {"owner": "", "until": 0.0, "session": None}}
        await self._leases.update_many({"_id": {"$in": list(parts)}, "owner": owner}, free)


def _binary(session: Binary | UUID) -> Binary:
    """Return the id in the form that commands need; the client's settings decide how it is read."""
    return session if isinstance(session, Binary) else Binary.from_uuid(session)
