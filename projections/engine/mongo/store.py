"""The port on MongoDB, through pymongo."""

import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import msgspec
import pymongo
from bson.errors import BSONError
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import CollectionInvalid, InvalidOperation, OperationFailure, PyMongoError

from projections.base import Document
from projections.engine.answering import BY_ID, index_for
from projections.engine.control import Control
from projections.engine.mongo import documents
from projections.engine.mongo.leases import CONTROL, THE_PLAN, MongoLeases, Stored
from projections.engine.mongo.listeners import CommandCounter, PoolListener
from projections.engine.mongo.sharing import SharedPages
from projections.engine.mongo.views import NAMESPACE_EXISTS, show_under_names
from projections.engine.mongo.writing import PARKED, write_batch
from projections.engine.query import RESIDUAL_ROWS_MAX, ListSlice, Query, cut, keys_slice
from projections.engine.store import (
    READ_MODELS_DEADLINE_S,
    Batch,
    Parked,
    ReadStoreUnavailable,
    Rendered,
    ShapedCollection,
)
from projections.shape import ENTRY_SEPARATOR

_encode = msgspec.msgpack.Encoder().encode
_ID_INDEX = "_id_"
"""The name that every collection gives its index of ids."""
_CLOSE_S = 1.0
"""How long a server may take for each goodbye."""


class MongoReadStore:
    """Read models in a MongoDB replica set: transactions need one."""

    def __init__(self, uri: str, database: str, timeout_s: float = READ_MODELS_DEADLINE_S) -> None:
        self._client: AsyncMongoClient[Stored] = AsyncMongoClient(
            uri,
            connect=False,
            timeoutMS=int(timeout_s * 1000),
            serverSelectionTimeoutMS=int(timeout_s * 1000),
            connectTimeoutMS=int(timeout_s * 1000),
            uuidRepresentation="standard",
            event_listeners=[PoolListener(), CommandCounter()],
        )
        self.database = self._client[database]
        self._timeout_s = timeout_s
        self._leases = MongoLeases(self._client, self.database)
        self._shared = SharedPages()

    async def control(self) -> Control | None:
        async with self._deadline():
            found = await self.database[CONTROL].find().to_list()
        return _control_of(found)

    async def get_many(self, target: ShapedCollection, ids: Sequence[str]) -> list[Rendered]:
        shown = {"json": 1, "version": 1, "deleted": 1}
        async with self._deadline():
            found = await self._batch(target, {"_id": {"$in": list(ids)}}, shown, len(ids))
        return [Rendered(d["_id"], d["json"], d["version"], d["deleted"]) for d in found]

    async def _batch(
        self, target: ShapedCollection, where: Stored, shown: Stored, limit: int, **more: Any
    ) -> list[Stored]:
        """Return documents in one batch; raw batches, decoded here, took no less CPU."""
        found = self.database[target.collection].find(where, shown, limit=-limit, **more)
        return await found.to_list()

    async def find(self, asked: Sequence[tuple[ShapedCollection, Query]]) -> list[ListSlice]:
        for target, query in asked:
            index_for(target.shape, query)
        if len(asked) == 1:
            [(target, query)] = asked
            key = _encode((target.collection, query))
            return [await self._shared.read(key, lambda: self._find_alone(target, query))]
        async with (
            self._deadline(),
            self._client.start_session() as session,
            await session.start_transaction(),
        ):
            return [await self._find(target, query, session) for target, query in asked]

    async def _find_alone(self, target: ShapedCollection, query: Query) -> ListSlice:
        async with self._deadline():
            return await self._find(target, query, None)

    async def _find(
        self, target: ShapedCollection, query: Query, session: AsyncClientSession | None
    ) -> ListSlice:
        name = _hint(target, query)
        if query.filters or query.put_in_order or query.of_entries:
            cursor = await self.database[target.collection].aggregate(
                documents.pipeline(query), session=session, hint=name
            )
            found = [(one["k"], one["j"]) async for one in cursor]
            if query.of_entries:
                found = [(key.partition(ENTRY_SEPARATOR)[2], json) for key, json in found]
            return _cut_filtered(query, found) if query.sifted else cut(query, found)
        key = documents.name_of(query.sort)
        # The command itself: a cursor of the driver would cost as much again as reading the reply.
        command = documents.find_command(target.collection, query, name)
        reply = await self.database.command(command, session=session)
        found = reply["cursor"]["firstBatch"]
        if query.bare:
            return keys_slice(query, [one[key] for one in found])
        return cut(query, [(one[key], one["json"]) for one in found])

    async def count(self, target: ShapedCollection, query: Query, limit: int) -> int:
        command = documents.count_command(target.collection, query, _hint(target, query), limit)
        async with self._deadline():
            return int((await self.database.command(command))["n"])

    async def explain(self, target: ShapedCollection, query: Query) -> str:
        name = _hint(target, query)
        command = documents.find_command(target.collection, query, name)
        async with self._deadline():
            return str((await self.database.command("explain", command))["queryPlanner"])

    async def load(self, target: ShapedCollection, ids: Sequence[str]) -> list[Document]:
        async with self._deadline():
            found = self.database[target.collection].find({"_id": {"$in": list(ids)}})
            return [documents.loaded(target.shape, one) async for one in found]

    async def scan(
        self, targets: Sequence[ShapedCollection], after: str, limit: int
    ) -> list[list[Document]]:
        found: list[list[Document]] = []
        where = {"_id": {"$gt": after}}
        async with (
            self._deadline(),
            self._client.start_session() as session,
            await session.start_transaction(),
        ):
            for target in targets:
                cursor = self.database[target.collection].find(
                    where, sort={"_id": 1}, limit=limit, session=session
                )
                found.append([documents.loaded(target.shape, one) async for one in cursor])
        return found

    async def parked(self) -> list[Parked]:
        async with self._deadline():
            found = self.database[PARKED].find({}, {"_id": 0})
            return [msgspec.convert(one, Parked) async for one in found]

    async def create(self, target: ShapedCollection) -> None:
        async with self._deadline():
            await self._leases.create()
            with contextlib.suppress(CollectionInvalid):
                try:
                    await self.database.create_collection(
                        target.collection, validator=documents.validator(target.shape)
                    )
                except OperationFailure as failure:
                    if failure.code != NAMESPACE_EXISTS:
                        raise
            if indexes := [documents.index_model(one) for one in target.shape.indexes]:
                await self.database[target.collection].create_indexes(indexes)

    async def write(self, batch: Batch) -> Control:
        async with self._deadline():
            if batch.fence is None:
                async with self._client.start_session() as session:
                    return await write_batch(self.database, batch, session)
            session = await self._leases.session()
            try:
                return await write_batch(self.database, batch, session)
            except BaseException:
                await self._leases.forget_session()
                raise

    async def show_live(self, control: Control) -> None:
        async with self._deadline():
            await show_under_names(self.database, control.live_names)

    async def drop_piece(self, collection: str, limit: int) -> bool:
        async with self._deadline():
            found = self.database[collection].find({}, {"_id": 1}, limit=limit)
            ids = [one["_id"] async for one in found]
            if ids:
                await self.database[collection].delete_many({"_id": {"$in": ids}})
                return True
            await self.database.drop_collection(collection)
            await self.database[PARKED].delete_many({"collection": collection})
            return False

    async def lease(
        self, owner: str, seconds: float, parts: Sequence[int] = (0,)
    ) -> dict[int, int]:
        async with self._deadline():
            return await self._leases.take(owner, seconds, parts)

    async def release(self, owner: str, parts: Sequence[int] = (0,)) -> None:
        async with self._deadline():
            await self._leases.release(owner, parts)

    async def figures(self) -> dict[str, int]:
        async with self._deadline():
            await self.database.command("ping")
        return {}

    async def close(self) -> None:
        with contextlib.suppress(PyMongoError), pymongo.timeout(_CLOSE_S):
            await self._leases.forget_session()
        with contextlib.suppress(PyMongoError, TimeoutError), pymongo.timeout(_CLOSE_S):
            await self._client.close()

    @contextlib.asynccontextmanager
    async def _deadline(self) -> AsyncGenerator[None]:
        """Apply the deadline to the block and turn the driver's errors into ours."""
        try:
            with pymongo.timeout(self._timeout_s):
                yield
        except (PyMongoError, BSONError, InvalidOperation) as error:
            raise ReadStoreUnavailable(f"MongoDB: {error}") from error


def _hint(target: ShapedCollection, query: Query) -> str:
    """Return the name of the index that answers *query*."""
    index = index_for(target.shape, query)
    return _ID_INDEX if index is BY_ID else index.name


def _cut_filtered(query: Query, looked: Sequence[tuple[Any, bytes | None]]) -> ListSlice:
    """Return the rows that were looked at as a page, without those that the filter leaves out."""
    end = looked[RESIDUAL_ROWS_MAX - 1][0] if len(looked) > RESIDUAL_ROWS_MAX else None
    wanted = [(key, json) for key, json in looked[:RESIDUAL_ROWS_MAX] if json is not None]
    return cut(query, wanted, end)


def _control_of(found: Sequence[Stored]) -> Control | None:
    """Return the control record, whose pieces need not be of one moment (see ``PartState``)."""
    plan = next((one for one in found if one["_id"] == THE_PLAN["_id"]), None)
    if plan is None or not plan["revision"]:
        return None
    parts = {one["part"]: one for one in found if one.get("token")}
    return msgspec.convert({**plan, "parts": parts}, Control, strict=False)
