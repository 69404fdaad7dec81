"""Is a read model what the log says? Compared with one built anew, document by document."""

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import msgspec
from msgspec import Struct

from eventstore.log import EventLog
from projections.base import Projection
from projections.engine.batch import BatchWriter
from projections.engine.checkpoints import (
    CHECKPOINTS,
    Checkpoint,
    Database,
    Document,
    Phase,
    Pointers,
    create_collection,
)
from projections.engine.rebuild import OnProgress, build, tell_nobody
from projections.engine.switch import drop

_MODULUS = 2**256
_encode = msgspec.json.Encoder(order="sorted").encode


class Digest(Struct, frozen=True):
    """What a collection holds: the sum modulo 2^256 of the SHA-256 of each document.

    Adding makes it the same in whatever order the documents come; ``_pos`` is left out, as it
    says when and not what.
    """

    position: int
    documents: int
    sum: str


class Comparison(Struct, frozen=True):
    """A live collection, and the same read model built anew from the log."""

    live: Digest
    rebuilt: Digest

    @property
    def equal(self) -> bool:
        return self.live == self.rebuilt

    def __str__(self) -> str:
        words = "matches the log" if self.equal else "differs from the log"
        live, rebuilt = self.live, self.rebuilt
        sums = live.sum if self.equal else f"{live.sum}, rebuilt {rebuilt.sum}"
        counts = f"{live.documents} of {rebuilt.documents} documents"
        return f"{words} at position {live.position} ({counts}, digest {sums})"


class Summing:
    """A digest in the making."""

    def __init__(self) -> None:
        self.documents, self._sum = 0, 0

    def add(self, document: Mapping[str, Any]) -> None:
        """Count *document* in."""
        shown = {name: value for name, value in document.items() if name != "_pos"}
        digest = hashlib.sha256(_encode(shown)).digest()
        self._sum = (self._sum + int.from_bytes(digest, "big")) % _MODULUS
        self.documents += 1

    def at(self, position: int) -> Digest:
        """Return the digest of what was counted, said to be of *position*."""
        return Digest(position, self.documents, f"{self._sum:064x}")


async def digest(database: Database, collection: str) -> Digest:
    """Return the digest of *collection* at one moment, its checkpoint's.

    All is read in one transaction, so that no projector comes in between; MongoDB ends one
    after 60 s (``transactionLifetimeLimitSeconds``), some millions of documents.

    :raises LookupError: there is no such collection.
    """
    summing = Summing()
    async with database.client.start_session() as session, await session.start_transaction():
        where: Document = {"_id": collection}
        checkpoint = await database[CHECKPOINTS].find_one(where, session=session)
        if checkpoint is None:
            raise LookupError(f"there is no collection {collection}")
        async for document in database[collection].find(session=session):
            summing.add(document)
    return summing.at(checkpoint["position"])


async def compare(
    projection: Projection[Any],
    log: EventLog,
    database: Database,
    progress: OnProgress = tell_nobody,
) -> Comparison:
    """Build *projection* anew up to where the live one is, compare, and drop it again.

    :raises LookupError: it was never projected.
    :raises ProjectionFailed: an event cannot be folded (its stream is parked in the live one).
    """
    pointer = await Pointers(database).fresh(projection.name)
    if pointer is None:
        raise LookupError(f"{projection.name} was never projected")
    live = await digest(database, pointer.collection)
    scratch = Checkpoint(
        collection=f"{projection.name}_verify_{uuid4().hex}",
        model=f"{projection.name}_verify",
        version=projection.version,
        phase=Phase.BUILDING,
    )
    try:
        await create_collection(database, projection, scratch)
        writer = BatchWriter(projection, log, database, scratch, strict=True)
        await build(writer, log, live.position, progress)
        return Comparison(live, await digest(database, scratch.collection))
    finally:
        await drop(database, scratch.collection)
