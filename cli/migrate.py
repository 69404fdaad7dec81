"""``migrate``: create the tables of the event log once, before the processes start.

Run it as the owner of the database. Create a separate role for the processes and pass it with
``--grant``: it may then append and read, but not change or remove an event.
"""

import argparse
from contextlib import closing
from typing import Any

from cli.running import settings_of_running
from eventstore.open import open_store
from eventstore.postgres import PostgresStore
from runtime.settings import load_settings


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    migrate = commands.add_parser(
        "migrate",
        help="create the tables of the event log",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    migrate.add_argument("--grant", metavar="ROLE", help="the database role of the processes")
    migrate.set_defaults(run=run)


def run(asked: argparse.Namespace) -> int:
    """Create what is missing; return 0."""
    return migrate(load_settings(settings_of_running()).events_url, asked.grant)


def migrate(events_url: str, role: str | None = None) -> int:
    """Create what is missing of the log at *events_url* and give *role* access to it."""
    with closing(open_store(events_url)) as store:
        store.create()
        print(f"the event log is ready: {store.identity().id}, {store.parts} partition(s)")
        if role is None:
            return 0
        if not isinstance(store, PostgresStore):
            print("only PostgreSQL has roles; nothing was granted")
            return 2
        store.grant(role)
        print(f"{role} may append and read")
    return 0
