"""Catalog: every read model there is."""

from typing import Any

from projections.base import Projection
from projections.live import Database, create_indexes, go_live_first
from projections.member import Members
from projections.organization import Organizations
from projections.project import Projects
from projections.session import Sessions
from projections.task import Tasks
from projections.user import Users
from projections.webhook import Webhooks

PROJECTIONS: tuple[Projection[Any], ...] = (
    Members(),
    Organizations(),
    Projects(),
    Sessions(),
    Tasks(),
    Users(),
    Webhooks(),
)

BY_NAME: dict[str, Projection[Any]] = {one.name: one for one in PROJECTIONS}


async def ensure_indexes(database: Database) -> None:
    """Create what is missing of collections and indexes, so that the first query finds them."""
    for projection in PROJECTIONS:
        pointer = await go_live_first(database, projection)
        if pointer.version == projection.version:
            await create_indexes(database, projection, pointer.collection)
