"""Compares a read model with a rebuild from the log, document by document."""

import contextlib
import hashlib
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from projections.base import Document, Projection
from projections.engine.control import Control, Phase
from projections.engine.projector import Projector
from projections.engine.rebuild import OnProgress, begin_projecting, built, no_progress, request
from projections.engine.store import Batch, OutOfTurn, ReadStore, ShapedCollection

_PIECE = 500
DIFFERENT_MAX = 10
"""The maximum number of differing documents that a result names."""
_MODULUS = 2**256
_encode = msgspec.json.Encoder(order="sorted").encode


class Digest(Struct, frozen=True):
    """The contents of a collection: the sum modulo 2^256 of the SHA-256 of each document.

    The sum is independent of the order of the documents. ``position`` is left out, because it
    depends on when a document was built, not on its contents.
    """

    documents: int
    sum: str


class Comparison(Struct, frozen=True):
    """A live collection, and the same read model rebuilt from the log."""

    position: int
    live: Digest
    rebuilt: Digest
    different: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        return self.live == self.rebuilt

    def __str__(self) -> str:
        live, rebuilt = self.live, self.rebuilt
        counts = f"{live.documents} of {rebuilt.documents} documents"
        at = f"at position {self.position} ({counts}, digest {live.sum[:8]}…"
        if self.equal:
            return f"matches the log {at})"
        named = ", ".join(self.different)
        return f"differs from the log {at}, rebuilt {rebuilt.sum[:8]}…): {named}"


class Summing:
    """A digest being computed."""

    def __init__(self) -> None:
        self.documents, self._sum = 0, 0

    def add(self, document: Document) -> None:
        """Add *document* to the digest."""
        self._sum = (self._sum + int.from_bytes(fingerprint(document), "big")) % _MODULUS
        self.documents += 1

    def digest(self) -> Digest:
        """Return the digest of the documents so far."""
        return Digest(self.documents, f"{self._sum:064x}")


def fingerprint(document: Document) -> bytes:
    """Return the SHA-256 of the contents of *document*."""
    return hashlib.sha256(_encode(replace(document, position=0))).digest()


async def digest(store: ReadStore, target: ShapedCollection) -> Digest:
    """Return the digest of a collection that nobody writes to meanwhile."""
    summing, after = Summing(), ""
    while documents := (await store.scan([target], after, _PIECE))[0]:
        for one in documents:
            summing.add(one)
        after = documents[-1].id
    return summing.digest()


async def compare(
    projection: Projection[Any],
    store: ReadStore,
    projector: Projector,
    progress: OnProgress = no_progress,
) -> Comparison:
    """Rebuild *projection*, compare the result with the live collection and drop it again.

    The same transactions keep both up to date meanwhile, so they must be equal at any moment.
    *projector* does the work if no other projector is running.

    :raises LookupError: it was never projected, or somebody else is comparing it.
    :raises ProjectionFailed: an event cannot be folded (its document is parked in the live one).
    """
    await begin_projecting(store, projector)
    name = await request(store, projection, verify=True)
    try:
        await built(name, store, projector, progress)
        control = await store.control()
        live = control.live(projection.name) if control is not None else None
        if control is None or live is None:
            raise LookupError(f"{projection.name} was never projected")
        targets = [
            ShapedCollection(live.name, projection.shape),
            ShapedCollection(name, projection.shape),
        ]
        return await _compared(store, targets, control.head)
    finally:
        await _retire(store, name)


async def _compared(store: ReadStore, targets: list[ShapedCollection], position: int) -> Comparison:
    live, rebuilt, after = Summing(), Summing(), ""
    different: list[str] = []
    while True:
        pair = await store.scan(targets, after, _PIECE)
        if not any(pair):
            break
        # Compare only as far as both were read: one slice may simply have ended earlier.
        full = [documents[-1].id for documents in pair if len(documents) == _PIECE]
        after = min(full, default=max(each.id for documents in pair for each in documents))
        shown: list[dict[str, bytes]] = []
        for summing, documents in zip((live, rebuilt), pair, strict=True):
            here = [one for one in documents if one.id <= after]
            for one in here:
                summing.add(one)
            shown.append({one.id: fingerprint(one) for one in here})
        ids = shown[0].keys() | shown[1].keys()
        different += sorted(i for i in ids if shown[0].get(i) != shown[1].get(i))
    return Comparison(position, live.digest(), rebuilt.digest(), tuple(different[:DIFFERENT_MAX]))


async def _retire(store: ReadStore, name: str) -> None:
    while True:
        control: Control | None = await store.control()
        one = control.named(name) if control is not None else None
        if control is None or one is None:
            return
        with contextlib.suppress(OutOfTurn):
            retired = replace(one, phase=Phase.RETIRED)
            await store.write(Batch(control=control.with_collection(retired)))
            return
