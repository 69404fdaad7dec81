"""Catalog: every read model there is."""

from typing import Any

from projections.base import Projection
from projections.engine.checkpoints import Database, create_indexes, go_live_first
from projections.hooks.webhook import Webhooks
from projections.identity.member import Members
from projections.identity.organization import Organizations
from projections.identity.session import Sessions
from projections.identity.user import Users
from projections.work.project import Projects
from projections.work.task import Tasks

PROJECTIONS: tuple[Projection[Any], ...] = (
    Members(),
    Organizations(),
    Projects(),
    Sessions(),
    Tasks(),
    Users(),
    Webhooks(),
)


async def ensure_indexes(database: Database) -> None:
    """Create what is missing of collections and indexes, so that the first query finds them."""
    for projection in PROJECTIONS:
        pointer = await go_live_first(database, projection)
        if pointer.version == projection.version:
            await create_indexes(database, projection, pointer.collection)
