"""What the stories of the read models share: a projector driven to the end of the log."""

from typing import Any
from uuid import UUID

import msgspec

from domain.base import Event
from eventstore.log import EventLog
from eventstore.recorded import Recorded, microseconds
from projections.base import Projection
from projections.folding import Batch
from projections.live import Database, Document
from projections.runner import Projector
from tests.domain.spec import ACME, NOW


async def never(timeout_s: float) -> None:
    """Stand for a wait that the test has no use for."""


async def project_all(projection: Projection[Any], log: EventLog, database: Database) -> Projector:
    """Project to the end of the log, and return the projector."""
    projector = Projector(projection, log, database, never)
    await to_the_end(projector)
    return projector


async def to_the_end(projector: Projector) -> None:
    """Let *projector* do all that there is to do now."""
    while await projector.step():
        pass


def story(stream: UUID, *events: Event, start: int = 1) -> list[Recorded]:
    """Return *events* as the log would give them, at positions from *start* on."""
    return [
        Recorded(
            position=position,
            org_id=ACME,
            org_seq=position,
            stream_id=stream,
            version=position - start + 1,
            recorded_at=microseconds(NOW),
            event=event,
            raw_metadata=msgspec.Raw(b"{}"),
        )
        for position, event in enumerate(events, start)
    ]


def shown(projection: Projection[Any], *events: Recorded) -> dict[str, Document]:
    """Return the documents that *events* give, folded in memory."""
    batch = Batch(projection, {}, strict=True)
    for event in events:
        batch.fold(event)
    return batch.documents()
