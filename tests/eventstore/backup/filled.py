"""Logs that have something in every table, and what stands in them."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

from domain.base import PLATFORM, OrgId
from eventstore.append import Append, KeyUse, SealedReply, Secret
from eventstore.backup.database import EVENTS_TABLE, OPERATIONAL_TABLES, SIDE_TABLES
from eventstore.backup.open import open_database
from eventstore.claim import ClaimChange, ClaimKey, CountChange, CountKey
from eventstore.mode import LogMode
from eventstore.open import open_store
from eventstore.operations.open import open_operations
from eventstore.operations.records import LogCursor
from eventstore.operations.store import Changes
from eventstore.trees import TreeHead, TreeNode
from tests.domain.spec import ACME, OTHER
from tests.eventstore.operations import examples
from tests.eventstore.rows import command

Rows = dict[str, set[tuple[Any, ...]]]


def fill(url: str, commands: int = 20) -> None:
    """Append commands of two organizations and of the platform, with everything beside them."""
    with closing(open_store(url)) as store:
        store.create()
        appends = [filled_command((ACME, OTHER, PLATFORM)[n % 3], n) for n in range(commands)]
        for start in range(0, commands, 50):
            store.commit(appends[start : start + 50])
        for org_id in (ACME, OTHER):
            store.put_tree_heads([TreeHead(org_id, 1, b"\x00frontier", "a note\n")])
            store.put_tree_nodes([TreeNode(org_id, 1, 0, b"\x00node")])
        store.destroy_key(uuid4())
    asyncio.run(_operate(url))


def filled_command(org_id: OrgId, n: int) -> Append:
    """Return a command of three events that writes into every table beside them."""
    stream = uuid4()
    asked = command(
        stream,
        events=3,
        org_id=org_id,
        private=b"\x00\xff sealed" if n % 2 else None,
        keys={stream: b"wrapped \x00 %d" % n},
        secrets=(Secret(stream, "p\u00e4ss", b"hash %d" % n),),
        claims=(ClaimChange(ClaimKey(org_id, "key", org_id, b"\xff" + stream.bytes), stream),),
        counts=(CountChange(CountKey(org_id, "tasks", org_id), 1),),
        key_use=KeyUse(
            key_hash=b"key" + stream.bytes,
            request_hash=b"hash",
            at=n,
            reply=SealedReply(201, 1, b"sealed", b"secret" if n % 2 else None) if n % 3 else None,
        ),
    )
    asked.org_id = org_id
    return asked


async def _operate(url: str) -> None:
    store = open_operations(url)
    await store.create()
    await store.open()
    try:
        wanted = examples.endpoint(str(uuid4()))
        [endpoint] = await store.claim("worker", 60.0, [wanted])
        deliveries = [examples.delivery(seq, wanted.id) for seq in (1, 2)]
        await store.write(endpoint, Changes(deliveries=deliveries, fields={"fan": 2}))
        found = LogCursor(id="part 0", position=1, event_id="e1")
        await store.keep_mails(found, [examples.mail(str(uuid4()))])
        assert await store.take_lease("export", "process", 60.0)
        assert await store.heartbeat("workers", "one", 60.0) == ["one"]
        await store.note_key_use("key", examples.NOW)
        await store.keep_import(examples.importing(str(uuid4())))
    finally:
        await store.close()


def contents(url: str) -> Rows:
    """Return every row of every table, by table."""
    return {
        table: set(_rows(url, table)) for table in (EVENTS_TABLE, *SIDE_TABLES, *OPERATIONAL_TABLES)
    }


def _rows(url: str, table: str) -> Iterator[tuple[Any, ...]]:
    with closing(open_database(url)) as database, database.snapshot() as snapshot:
        for found in snapshot.slices(table):
            names = sorted(found.columns)
            places = [found.columns.index(name) for name in names]
            yield from (tuple(row[place] for place in places) for row in found.rows)


def open_for_commands(url: str) -> None:
    """End a restore whose contents were checked."""
    with closing(open_database(url)) as database:
        database.set_mode(LogMode.OPEN)
