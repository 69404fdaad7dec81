"""The port of the read models; one contract suite runs against every adapter.

Everything it stores is derived from the log and may be discarded. Every call ends within the
deadline of its store, and no cursor leaves an adapter.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct

from projections.base import Document
from projections.engine.control import Control
from projections.engine.query import ListSlice, Query
from projections.shape import Shape

READ_MODELS_DEADLINE_S = 3.0
"""How long a call may take; a request must be answered within 5 s."""


class ReadStoreUnavailable(Exception):
    """The read models do not answer; try again later."""


class ReadStoreLost(ReadStoreUnavailable):
    """The stored data is damaged or lost; it is rebuilt from the log."""


class OutOfTurn(Exception):
    """Somebody else has written since, or holds the lease now; nothing was written."""


class Rebuilding(Exception):
    """The read model is being built from the log and not shown yet."""

    def __init__(self, progress: float) -> None:
        super().__init__(f"read models are being rebuilt ({progress:.0%})")
        self.progress = progress


class ShapedCollection(NamedTuple):
    """A collection and the shape of its documents."""

    collection: str
    shape: Shape


class Rendered(NamedTuple):
    """One document as a GET returns it."""

    id: str
    json: bytes
    version: int
    deleted: bool


class Parked(Struct, frozen=True, kw_only=True):
    """A document that cannot be folded further, and the first event that failed.

    It shows its state before that event. With ``unreadable``, the event itself cannot be read, and
    ``id`` is the document of its stream.
    """

    collection: str
    id: str
    org: str
    org_seq: int
    position: int
    error: str
    unreadable: bool = False


class Written(NamedTuple):
    """Documents to store in one collection, each replacing the one with its id.

    ``new`` names those that the collection did not have when they were looked for under the fence
    of the batch.
    """

    target: ShapedCollection
    documents: Sequence[Document]
    new: Collection[str] = ()


class Batch(Struct, kw_only=True):
    """Changes that are written in one transaction.

    With a ``part``, they are of that partition: how far it is now is in ``control``, whose plan is
    not written, and its ``token`` is the one that was read. Otherwise the plan is written, and
    its ``revision`` is the one that was read. With a ``fence``, the lease must still be held: that
    of the partition, or of the first one for the plan.
    """

    control: Control
    part: int | None = None
    fence: int | None = None
    written: Sequence[Written] = ()
    parked: Sequence[Parked] = ()
    unparked: Sequence[Parked] = ()


class ReadStore(Protocol):
    """Read models in a database.

    Every method raises ``ReadStoreUnavailable`` when the database does not answer in time.
    """

    async def control(self) -> Control | None:
        """Return the control record, None if nothing has been projected yet."""
        ...

    async def get_many(self, target: ShapedCollection, ids: Sequence[str]) -> list[Rendered]:
        """Return the documents with these ids, in any order; missing ones are left out."""
        ...

    async def find(self, asked: Sequence[tuple[ShapedCollection, Query]]) -> list[ListSlice]:
        """Return a page for each query, all from one consistent view.

        :raises QueryRefused: no declared index answers one of them.
        """
        ...

    async def count(self, target: ShapedCollection, query: Query, limit: int) -> int:
        """Return how many documents the index of *query* finds, at most *limit*.

        That is without its bounds, and without what the index does not answer.

        :raises QueryRefused: no declared index answers it.
        """
        ...

    async def explain(self, target: ShapedCollection, query: Query) -> str:
        """Return how the database answers *query*."""
        ...

    async def load(self, target: ShapedCollection, ids: Sequence[str]) -> list[Document]:
        """Return whole documents, for folding."""
        ...

    async def scan(
        self, targets: Sequence[ShapedCollection], after: str, limit: int
    ) -> list[list[Document]]:
        """Return the next documents of each target with ids above *after*, from one view."""
        ...

    async def parked(self) -> list[Parked]:
        """Return every document that is parked."""
        ...

    async def create(self, target: ShapedCollection) -> None:
        """Create the collection of a target with its indexes, unless it exists."""
        ...

    async def write(self, batch: Batch) -> Control:
        """Write all of *batch* or nothing, and return the new control record.

        :raises OutOfTurn: somebody else has written since it was read, or the lease is lost.
        """
        ...

    async def show_live(self, control: Control) -> None:
        """Show the live collections under the names of their models, for people.

        Processes never read by these names, which follow a switch a moment later.
        """
        ...

    async def drop_piece(self, collection: str, limit: int) -> bool:
        """Delete at most *limit* documents of a retired collection; return whether any are left."""
        ...

    async def lease(
        self, owner: str, seconds: float, parts: Sequence[int] = (0,)
    ) -> dict[int, int]:
        """Take or renew the leases to write what is in some partitions.

        Return the fences of those that nobody else holds.
        """
        ...

    async def release(self, owner: str, parts: Sequence[int] = (0,)) -> None:
        """Release the leases of some partitions that *owner* holds."""
        ...

    async def figures(self) -> dict[str, int]:
        """Return figures for operators by name, such as the sizes of files in bytes."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...
