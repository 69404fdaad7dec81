"""What is purged is nowhere in PostgreSQL, in MongoDB or among the files either."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from bson import encode
from psycopg import sql
from pymongo import AsyncMongoClient

from api.app import create_app
from cli.migrate import migrate
from commands.lint.walk import lint_log
from projections.engine.progress import Progress
from runtime.settings import load_settings
from runtime.system import System
from tests.api.conftest import DEADLINES, PATIENCE_S, hashing_quickly, projecting
from tests.api.stage import MovableClock, done, sign_up, unique
from tests.api.work.trash.test_purge import bytes_in, filled_project, finish, told
from tests.eventstore.conftest import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]  # fixtures, found by their names


@pytest.fixture
async def system(
    tmp_path: Path, postgres_url: str, mongo_url: str, clock: MovableClock
) -> AsyncIterator[System]:
    """Open a system whose log is in PostgreSQL and whose read models are in MongoDB."""
    await asyncio.to_thread(migrate, postgres_url)
    settings = load_settings(
        {
            "APP_ENV": "test",
            "DATA_DIR": str(tmp_path),
            "EVENTS_URL": postgres_url,
            "MONGODB_URI": mongo_url,
            "MONGODB_DATABASE": unique("canary")[:30],
            "RATE_LIMITS": "off",
            "LOG_LEVEL": "ERROR",
            **dict.fromkeys(DEADLINES, f"{PATIENCE_S}s"),
        }
    )
    async with hashing_quickly(settings, clock) as opened:
        yield opened
    async with AsyncMongoClient[dict[str, Any]](mongo_url) as client:
        await client.drop_database(settings.mongodb_database)


@pytest.fixture
async def read_side(system: System) -> AsyncIterator[Progress]:
    """Project in the background."""
    async with projecting(system) as progress:
        yield progress


def held_by_postgres(url: str) -> dict[str, bytes]:
    """Return every row of every table."""
    address = url.partition("?")[0]
    with psycopg.connect(address) as connection:
        names = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables"
            " WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        found: dict[str, bytes] = {}
        for schema, table in names:
            query = sql.SQL("SELECT * FROM {}.{}").format(
                sql.Identifier(schema), sql.Identifier(table)
            )
            rows = connection.execute(query).fetchall()
            values = [value for row in rows for value in row if value is not None]
            found[table] = b"\n".join(
                bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                for value in values
            )
    return found


async def held_by_mongo(url: str, name: str) -> dict[str, bytes]:
    """Return every document of every collection."""
    async with AsyncMongoClient[dict[str, Any]](url) as client:
        database = client[name]
        return {
            each: b"\n".join([encode(one) async for one in database[each].find({})])
            for each in await database.list_collection_names(filter={"type": "collection"})
        }


async def test_nothing_of_a_purged_project_is_left_on_any_server(
    system: System, read_side: Progress, postgres_url: str, mongo_url: str
) -> None:
    word, kept = unique("canary"), unique("kept")
    ana = await sign_up(create_app(system, read_side))
    project = await filled_project(ana, word)
    await ana.task(await ana.project("OPS"), kept)
    assert word in await told(ana)
    done(await ana.delete("/project/ENG"), 204)
    done(await ana.delete(f"/trash/project/{project['id']}"), 204)

    await finish(system, read_side)

    shown = await told(ana)
    assert word not in shown
    assert kept in shown
    documents = await held_by_mongo(mongo_url, system.settings.mongodb_database)
    places = {
        **held_by_postgres(postgres_url),
        **documents,
        **dict(bytes_in(system.settings.data_dir)),
    }
    assert project["id"].encode() in b"".join(documents.values())
    assert any(kept.encode() in held for held in documents.values())
    assert [place for place, held in places.items() if word.encode() in held] == []
    assert [str(found) async for found in lint_log(system.log)] == []
    await ana.client.aclose()
