"""The leases of the partitions in the file."""

import time
from collections.abc import Sequence

from eventstore.engine.sqlite.driver import Database


def take_leases(
    connection: Database, owner: str, seconds: float, parts: Sequence[int]
) -> dict[int, int]:
    """Take or renew leases; return the fences of those that nobody else holds."""
    now = time.time()  # of one machine, like the file
    fences: dict[int, int] = {}
    connection.execute("BEGIN IMMEDIATE")
    known = {
        part: (holder, until, fence)
        for part, holder, until, fence in connection.execute("SELECT * FROM leases")
    }
    for part in parts:
        holder, until, fence = known.get(part, ("", 0.0, 0))
        if holder not in ("", owner) and now < until <= now + seconds:
            continue
        fences[part] = fence + (holder != owner)
        connection.execute(
            "INSERT INTO leases VALUES (?, ?, ?, ?) ON CONFLICT (part) DO UPDATE"
            " SET owner = excluded.owner, until = excluded.until, fence = excluded.fence",
            (part, owner, now + seconds, fences[part]),
        )
    connection.execute("COMMIT")
    return fences
