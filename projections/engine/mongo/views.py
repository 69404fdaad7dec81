"""Views named after the read models, for people: `db.tasks.find({title: …})` in mongosh.

A collection is named after its version, and the next one takes its place; the view stays. Processes
read the collections, whose name they know from the control record.
"""

from collections.abc import Mapping

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure

from projections.engine.mongo.leases import Stored

NAMESPACE_EXISTS = 48
"""MongoDB's error code for a collection or view that exists already."""


async def show_under_names(database: AsyncDatabase[Stored], live: Mapping[str, str]) -> None:
    """Let each view in *live* show the collection that it maps to, and drop views of the past."""
    listed = await (await database.list_collections(filter={"type": "view"})).to_list()
    views: dict[str, str] = {one["name"]: one["options"]["viewOn"] for one in listed}
    for name, shown in views.items():
        # Others that somebody made for themselves stay.
        if live.get(name) != shown and shown.startswith(f"{name}_v"):
            await database.drop_collection(name)
    for name, collection in live.items():
        if views.get(name) != collection:
            try:
                await database.command("create", name, viewOn=collection, pipeline=[])
            except OperationFailure as failure:
                if failure.code != NAMESPACE_EXISTS:
                    raise
