"""Which collection is the live one of each read model, and how far it has got.

``pointers`` {_id: name, version, collection, previous}: what queries read.
``checkpoints`` {_id: collection, model, version, build, phase, position, parked}: what a
collection holds. The checkpoint belongs to the collection, so whoever switches collections
goes on where that collection ends.
"""

import time
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct, convert
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from projections.base import Projection

Document = dict[str, Any]
Database = AsyncDatabase[Document]

POINTERS = "pointers"
CHECKPOINTS = "checkpoints"
POINTER_FRESH_S = 2.0
"""How long a process may go on reading a collection that was replaced meanwhile."""


class Phase(StrEnum):
    """What a collection is good for; the values are stored."""

    LIVE = "live"
    BUILDING = "building"
    RETIRED = "retired"


class Parked(Struct, frozen=True):
    """A stream that a projection failed on: the position of the event, and how it failed."""

    position: int
    error: str


class Checkpoint(Struct, kw_only=True):
    """How far a collection has got; every event of interest up to *position* is in it."""

    collection: str
    model: str
    version: int
    build: int = 0
    phase: Phase = Phase.LIVE
    position: int = 0
    parked: dict[str, Parked] = {}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Checkpoint":
        return convert({**document, "collection": document["_id"]}, cls)

    def document(self) -> Document:
        """Return it as it is stored."""
        return {
            "_id": self.collection,
            "model": self.model,
            "version": self.version,
            "build": self.build,
            "phase": self.phase.value,
            "position": self.position,
            "parked": {},
        }


class Pointer(Struct, frozen=True, kw_only=True):
    """Which collection queries of a read model go to, and the one before it for a rollback."""

    collection: str
    version: int
    previous: str | None = None


class Pointers:
    """The live collections, remembered for a short while: all of them in one read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, Pointer] = {}
        self._read_at = float("-inf")

    async def collection(self, name: str) -> str | None:
        """Return the collection to query, or None while the read model was never projected."""
        pointer = self._known.get(name)
        if pointer is None or time.monotonic() - self._read_at > POINTER_FRESH_S:
            pointer = await self.fresh(name)
        return pointer.collection if pointer else None

    async def fresh(self, name: str) -> Pointer | None:
        """Return the pointer as it stands now."""
        found = self._database[POINTERS].find()
        self._known = {one["_id"]: convert(one, Pointer) async for one in found}
        self._read_at = time.monotonic()
        return self._known.get(name)


async def create_collection(
    database: Database, projection: Projection[Any], checkpoint: Checkpoint
) -> None:
    """Create an empty collection with its indexes, and its checkpoint unless it has one."""
    await create_indexes(database, projection, checkpoint.collection)
    try:
        await database[CHECKPOINTS].insert_one(checkpoint.document())
    except DuplicateKeyError:
        return  # somebody else began; whoever writes first to it wins the batch


async def create_indexes(database: Database, projection: Projection[Any], collection: str) -> None:
    """Create what *collection* lacks of its indexes."""
    if projection.indexes:
        await database[collection].create_indexes(list(projection.indexes))


async def read_checkpoint(database: Database, collection: str) -> Checkpoint | None:
    """Return the checkpoint of *collection*, None for one that does not exist."""
    found = await database[CHECKPOINTS].find_one({"_id": collection})
    return Checkpoint.of(found) if found else None


async def go_live_first(database: Database, projection: Projection[Any]) -> Pointer:
    """Return the read model's pointer; without one, create its very first collection, empty."""
    known = await Pointers(database).fresh(projection.name)
    if known is not None:
        return known
    collection = f"{projection.name}_v{projection.version}"
    first = Checkpoint(collection=collection, model=projection.name, version=projection.version)
    await create_collection(database, projection, first)
    pointer = {"_id": projection.name, "version": projection.version, "collection": collection}
    try:
        await database[POINTERS].insert_one(pointer)
    except DuplicateKeyError:  # somebody else was faster, perhaps with another version
        return await go_live_first(database, projection)
    return Pointer(collection=collection, version=projection.version)
