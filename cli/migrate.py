"""``migrate``: create the tables of the log and the operational tables, before the first start.

Run it as the owner of the database. Create a separate role for the processes and pass it with
``--grant``: it may then append and read, but not change or remove an event.
"""

import asyncio
from contextlib import closing

from cli.outages import outages_as_failures
from cli.running import settings_of_running
from eventstore.open import open_store
from eventstore.operations.open import open_operations
from eventstore.operations.postgres import PostgresOperations
from eventstore.postgres import PostgresStore
from runtime.settings import load_settings


def run(*, grant: str | None = None) -> int:
    """Create what is missing; return 0.

    Parameters
    ----------
    grant
        The database role of the processes.
    """
    with outages_as_failures():
        return migrate(load_settings(settings_of_running()).events_url, grant)


def migrate(events_url: str, role: str | None = None) -> int:
    """Create what is missing of the log at *events_url* and give *role* access to it."""
    with closing(open_store(events_url)) as store:
        store.create()
        asyncio.run(_operations(events_url, role))
        print(f"the event log is ready: {store.identity().id}, {store.parts} partition(s)")
        if role is None:
            return 0
        if not isinstance(store, PostgresStore):
            print("only PostgreSQL has roles; nothing was granted")
            return 2
        store.grant(role)
        print(f"{role} may append and read")
    return 0


async def _operations(events_url: str, role: str | None) -> None:
    """Create what is missing of the operational tables."""
    operations = open_operations(events_url)
    try:
        await operations.create()
        if role is not None and isinstance(operations, PostgresOperations):
            await operations.grant(role)
    finally:
        await operations.close()
