"""The quick lane gives what the driver gives, or nothing at all."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import bson
import pytest
from pymongo import AsyncMongoClient

from domain.base import TaskId
from eventstore.memory import MemoryStore
from projections.catalog import PROJECTIONS
from projections.engine.checkpoints import Database, Pointers
from projections.engine.find import ReadModels
from projections.engine.wire import CONNECTIONS_MAX, Lane
from projections.identity.member import members_of
from projections.work.task import find_task, tasks_of_project
from tests.domain.spec import ACME, ENG, TASK
from tests.projections.spec import a_busy_day, project_all
from tests.spec import opened

Client = AsyncMongoClient[dict[str, Any]]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
FIND: dict[str, Any] = {"find": "things", "filter": {}, "singleBatch": True}
THING = {"_id": 1}


def reply(**document: Any) -> bytes:
    """Return *document* as an OP_MSG."""
    body = bson.encode(document)
    header = [21 + len(body), 1, 1, 2013]
    return b"".join(n.to_bytes(4, "little") for n in header) + b"\0" * 5 + body


FOUND = reply(ok=1, cursor={"firstBatch": [THING], "id": 0})


@asynccontextmanager
async def lane_to(serve: Serve) -> AsyncGenerator[Lane, None]:
    """Open a lane to a server that does as *serve* says to each connection."""
    writers: list[asyncio.StreamWriter] = []

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await serve(reader, writer)

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]

    async def primary() -> tuple[str, int]:
        return "127.0.0.1", port

    lane = Lane(primary)
    yield lane
    lane.close()
    server.close()
    for writer in writers:
        writer.close()


async def in_pieces(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every question, a few bytes at a time."""
    while await reader.read(4096):
        for start in range(0, len(FOUND), 7):
            writer.write(FOUND[start : start + 7])
            await writer.drain()
            await asyncio.sleep(0)


async def refuses(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(4096)
    writer.write(reply(ok=0, code=10107, errmsg="not primary"))


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(4096)
    writer.close()


async def talks_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(4096)
    writer.write(b"\x20\0\0\0" + b"nonsense" * 8)


@pytest.mark.servers
async def test_the_lane_and_the_driver_give_the_same(
    database: Database, mongo_client: Client, mongo_url: str
) -> None:
    async with opened(MemoryStore()) as log:
        await a_busy_day(log, seed=1)
        for projection in PROJECTIONS:
            await project_all(projection, log, database)
    lane = await Lane.for_uri(mongo_client, mongo_url)
    assert lane is not None
    driver = ReadModels(database, Pointers(database))
    quick = ReadModels(database, Pointers(database), lane)

    for _ in range(2):
        assert await find_task(quick, ACME, TASK) == await find_task(driver, ACME, TASK)
        assert await tasks_of_project(quick, ACME, ENG) == await tasks_of_project(driver, ACME, ENG)
        assert await members_of(quick, ACME) == await members_of(driver, ACME)
        assert await find_task(quick, ACME, TaskId(ENG)) is None
    command: dict[str, Any] = {"find": "tasks_v1", "filter": {}, "singleBatch": True}
    together = await asyncio.gather(*[lane.find(database.name, command) for _ in range(20)])
    assert len([found for found in together if found]) == 20
    lane.close()


async def test_an_answer_may_come_in_pieces() -> None:
    async with lane_to(in_pieces) as lane:
        assert await lane.find("db", FIND) == [THING]
        assert await lane.find("db", FIND) == [THING]


@pytest.mark.parametrize("serve", [refuses, hangs_up, talks_nonsense])
async def test_whatever_goes_wrong_the_driver_is_asked(serve: Serve) -> None:
    async with lane_to(serve) as lane:
        assert await lane.find("db", FIND) is None


async def test_after_a_failure_the_lane_rests() -> None:
    asked = 0

    async def counting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await refuses(reader, writer)

    async with lane_to(counting) as lane:
        for _ in range(5):
            assert await lane.find("db", FIND) is None

    assert asked == 1


async def test_without_a_primary_the_driver_is_asked() -> None:
    async def nobody() -> None:
        return None

    assert await Lane(nobody).find("db", FIND) is None


async def test_whoever_gives_up_leaves_no_answer_for_the_next() -> None:
    questions: asyncio.Queue[int] = asyncio.Queue()
    connections = 0

    async def slow_at_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await reader.read(4096):
            await questions.put(connections)
            if connections > 1:
                writer.write(FOUND)

    async with lane_to(slow_at_first) as lane:
        waiting = asyncio.create_task(lane.find("db", FIND))
        await questions.get()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

        assert await lane.find("db", FIND) == [THING]
    assert connections == 2


async def test_when_all_connections_are_busy_the_driver_is_asked() -> None:
    questions: asyncio.Queue[None] = asyncio.Queue()

    async def never_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        await questions.put(None)

    async with lane_to(never_answers) as lane:
        busy = [asyncio.create_task(lane.find("db", FIND)) for _ in range(CONNECTIONS_MAX)]
        for _ in busy:
            await questions.get()

        assert await lane.find("db", FIND) is None
        for one in busy:
            one.cancel()
        await asyncio.gather(*busy, return_exceptions=True)


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://ana:secret@127.0.0.1/",
        "mongodb://127.0.0.1/?tls=true",
        "mongodb://127.0.0.1/?compressors=zlib",
        "mongodb+srv://example.com/",
    ],
)
async def test_what_needs_more_than_a_plain_connection_is_left_to_the_driver(uri: str) -> None:
    client = AsyncMongoClient[dict[str, Any]]("mongodb://127.0.0.1:1/", connect=False)

    assert await Lane.for_uri(client, uri) is None
    await client.close()
