"""In production, no process starts with a database role that could change events."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from msgspec.structs import replace
from psycopg.conninfo import conninfo_to_dict

from cli.migrate import migrate
from eventstore.append import LogUnfit
from runtime.setting import AppEnv
from runtime.settings import Settings
from runtime.system import open_system
from tests.acceptance.system import ROOT, environment
from tests.eventstore.conftest import postgres_server, postgres_url
from tests.workers.stage import settings_in

pytestmark = pytest.mark.servers

__all__ = ["postgres_server", "postgres_url"]  # fixtures, found by their names

SECRET = "kV9x2Qm7Lr4Tz8Wp1Yc6Hd3Nf5Bg0JsAeUi"
PROCESSES = ["api", "workers", "workers.projecting"]
REFUSAL = "could change and remove events"


@pytest.fixture
def role(postgres_url: str) -> Iterator[str]:
    """Give a role of the database that may not do anything yet."""
    name = f"app_{uuid4().hex[:8]}"
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'app'".encode())
        yield name
        owner.execute(f"DROP OWNED BY {name}".encode())
        owner.execute(f"DROP ROLE {name}".encode())


def address_as(postgres_url: str, role: str) -> str:
    """Return the same database with another role."""
    parts = conninfo_to_dict(postgres_url)
    rest = {name: str(value) for name, value in parts.items() if name not in ("user", "password")}
    host, port, database = rest["host"], rest["port"], rest["dbname"]
    return f"postgresql://{role}:app@/{database}?host={host}&port={port}"


def refusal_of(module: str, url: str, data_dir: Path) -> str:
    """Start a process of production and return what it says as it ends by itself."""
    secrets = ("JWT_ACCESS_SECRET", "JWT_REFRESH_SECRET", "MASTER_KEY", "LOG_SECRET")
    settings = {name: f"{name}-{SECRET}" for name in secrets} | {
        "APP_ENV": "production",
        "EVENTS_URL": url,
        "FILES_URL": "s3://files",
        "MONGODB_URI": "mongodb://127.0.0.1:1/?replicaSet=none",
        "CORS_ORIGINS": "https://tasks.example.com",
        "APP_URL": "https://tasks.example.com",
    }
    ended = subprocess.run(
        [sys.executable, "-m", module],
        env=environment(data_dir, **settings),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr.count("Traceback")) == (2, 0), ended.stderr
    return ended.stderr


@pytest.mark.parametrize("module", PROCESSES)
def test_the_owner_of_the_tables_is_refused(postgres_url: str, tmp_path: Path, module: str) -> None:
    migrate(postgres_url)

    assert REFUSAL in refusal_of(module, postgres_url, tmp_path)


@pytest.mark.parametrize("module", PROCESSES)
def test_a_database_without_tables_is_refused_in_one_sentence(
    postgres_url: str, tmp_path: Path, module: str
) -> None:
    assert "run `trackrecord migrate`" in refusal_of(module, postgres_url, tmp_path)


async def test_the_role_that_migrate_prepares_is_let_in(
    postgres_url: str, role: str, tmp_path: Path
) -> None:
    await asyncio.to_thread(migrate, postgres_url, role)
    settings = in_production(tmp_path, address_as(postgres_url, role))

    async with open_system(settings) as system:
        assert await system.log.last_position() == 0


@pytest.mark.parametrize(
    "right",
    [
        "GRANT UPDATE ON events TO {role}",
        "GRANT UPDATE (state) ON events TO {role}",
        "GRANT DELETE ON events TO {role}",
        "GRANT TRUNCATE ON events TO {role}",
        "ALTER TABLE events OWNER TO {role}",
    ],
)
async def test_one_right_too_many_is_refused(
    postgres_url: str, role: str, tmp_path: Path, right: str
) -> None:
    await asyncio.to_thread(migrate, postgres_url, role)
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute(right.format(role=role).encode())
    settings = in_production(tmp_path, address_as(postgres_url, role))

    with pytest.raises(LogUnfit, match=REFUSAL):
        async with open_system(settings):
            pass


async def test_elsewhere_it_is_a_warning(
    postgres_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.to_thread(migrate, postgres_url)

    async with open_system(settings_in(tmp_path, EVENTS_URL=postgres_url)):
        pass

    assert REFUSAL in caplog.text


def in_production(data_dir: Path, url: str) -> Settings:
    return replace(settings_in(data_dir, EVENTS_URL=url), app_env=AppEnv.PRODUCTION)
