"""PyMongo alone: what the query of a page costs without any of our code.

Without listeners, deadlines, or decoding, and in a process that does nothing else.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from benchmarks.harness.pace import Pace

Ask = Callable[[], Awaitable[object]]
_RAW = CodecOptions(document_class=RawBSONDocument)
_SHOWN = {"_id": False, "json": 1, "number": 1}
_SORT = {"number": -1}


async def ask_pages(url: str, name: str, limit: int, connections: int, seconds: float) -> Pace:
    """Ask for the newest tasks by ``find_raw_batches``, over and over."""
    return await _asked(url, name, connections, seconds, lambda d, w: _cursor(d, w, limit))


async def ask_commands(url: str, name: str, limit: int, connections: int, seconds: float) -> Pace:
    """Ask for the newest tasks by the ``find`` command, which PyMongo sends with less work."""
    return await _asked(url, name, connections, seconds, lambda d, w: _command(d, w, limit))


async def _asked(
    url: str,
    name: str,
    connections: int,
    seconds: float,
    make: Callable[[AsyncDatabase[Any], dict[str, Any]], Ask],
) -> Pace:
    async with AsyncMongoClient[dict[str, Any]](url) as client:
        one = await client[name].tasks.find_one() or {}
        where = {field: one[field] for field in ("org", "project_id", "deleted")}
        ask = make(client[name], where)
        until, pace = time.perf_counter() + seconds, Pace()

        async def work() -> int:
            done = 0
            while time.perf_counter() < until:
                await ask()
                done += 1
            return done

        with pace.timed():
            pace.done = sum(await asyncio.gather(*(work() for _ in range(connections))))
        return pace


def _cursor(database: AsyncDatabase[Any], where: dict[str, Any], limit: int) -> Ask:
    tasks = database.tasks_v1_b1
    return lambda: tasks.find_raw_batches(where, _SHOWN, sort=_SORT, limit=-limit).to_list()


def _command(database: AsyncDatabase[Any], where: dict[str, Any], limit: int) -> Ask:
    asked = {"find": "tasks_v1_b1", "filter": where, "projection": _SHOWN, "sort": _SORT}
    command = {**asked, "limit": limit, "batchSize": limit, "singleBatch": True}
    return lambda: database.command(command, codec_options=_RAW)
