"""Every server starts, answers, keeps its data when killed, and leaves no process behind."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pymongo import MongoClient, WriteConcern
from redis import Redis

from devstack.lock import DataDirBusy
from devstack.mongo import mongo
from devstack.port import PortTaken
from devstack.postgres import find_postgres, postgres
from devstack.redis import redis
from devstack.server import Server, ServerFailed
from tests.devstack.conftest import eventually, processes_in

pytestmark = pytest.mark.servers

SERVERS = [
    mongo,
    redis,
    pytest.param(
        postgres,
        marks=[
            pytest.mark.needs("postgresql"),
            pytest.mark.skipif(find_postgres() is None, reason="no PostgreSQL here"),
        ],
    ),
]
Make = Callable[..., Server]


def kill(server: Server) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    assert eventually(lambda: not server.alive())


def redis_client(server: Server) -> Any:
    """Return an untyped client: the types of redis-py mix direct and awaited answers."""
    return Redis.from_url(server.url)


def write(server: Server) -> None:
    """Write 1 and then 2, each acknowledged as durable."""
    if server.name == "mongo":
        with MongoClient[dict[str, Any]](server.url) as client:
            concern = WriteConcern("majority", j=True)
            for number in (1, 2):
                with client.start_session() as s, s.start_transaction(write_concern=concern):
                    client.test.things.insert_one({"_id": number}, session=s)
    elif server.name == "redis":
        with redis_client(server) as client:
            client.rpush("things", 1, 2)
            assert client.waitaof(1, 0, 5000)[0] == 1
    else:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE things AS SELECT generate_series(1, 2) AS id")


def read(server: Server) -> list[int]:
    if server.name == "mongo":
        with MongoClient[dict[str, Any]](server.url) as client:
            return [thing["_id"] for thing in client.test.things.find().sort("_id")]
    if server.name == "redis":
        with redis_client(server) as client:
            return [int(thing) for thing in client.lrange("things", 0, -1)]
    with psycopg.connect(server.url) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM things ORDER BY id")]


@pytest.mark.parametrize("make", SERVERS)
def test_a_killed_server_starts_again_on_its_port_with_its_data(make: Make, data_dir: Path) -> None:
    with make(data_dir) as server:
        url = server.url
        write(server)

        kill(server)
        server.start()
        server.wait_ready()

        assert server.url == url
        assert read(server) == [1, 2]


@pytest.mark.parametrize("make", SERVERS)
def test_a_stopped_server_leaves_its_data_and_no_process(make: Make, data_dir: Path) -> None:
    with make(data_dir) as server:
        write(server)
        assert server.pid is not None
        group = os.getpgid(server.pid)
        assert group == server.pid  # Ctrl-C in our terminal does not reach it
    stopped_alive, left = server.alive(), processes_in(data_dir)

    with make(data_dir) as later:
        kept = read(later)

    assert not stopped_alive
    assert left == []
    assert kept == [1, 2]


@pytest.mark.parametrize("make", SERVERS)
def test_a_second_server_on_the_same_data_is_refused(
    make: Make, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devstack.server.ORPHANS_S", 0.0)

    server = make(data_dir)
    server.start()

    with pytest.raises(DataDirBusy, match="in use by another instance"):
        make(data_dir).start()

    server.stop()


@pytest.mark.parametrize("make", SERVERS)
def test_a_port_in_use_is_refused(make: Make, data_dir: Path) -> None:
    with redis(data_dir.parent / "first") as first, pytest.raises(PortTaken, match="cannot use"):
        make(data_dir, port=int(first.port))


OWNER = """
import sys
from pathlib import Path
from devstack.mongo import mongo
from devstack.postgres import find_postgres, postgres
from devstack.redis import redis
top = Path(sys.argv[1])
servers = [mongo(top / "mongo"), redis(top / "redis")]
if find_postgres() is not None:
    servers.append(postgres(top / "postgres"))
for server in servers:
    server.start()
for server in servers:
    server.wait_ready()
print("ready", flush=True)
sys.stdin.read()
"""


def test_servers_die_with_a_killed_parent_and_release_their_directories(data_dir: Path) -> None:
    data_dir.mkdir()
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"ready\n"
        children = [p for p in processes_in(data_dir) if p.pid != owner.pid]

        owner.kill()

    assert len(children) >= 2
    assert eventually(lambda: processes_in(data_dir) == [])
    with redis(data_dir / "redis") as server:
        assert server.alive()


def test_a_failed_start_names_the_log_and_shows_its_end(data_dir: Path) -> None:
    server = redis(data_dir)
    server.argv = [*server.argv, "--no-such-setting", "1"]

    with pytest.raises(ServerFailed, match="no-such-setting") as failed, server:
        pass

    assert str(server.log_path) in str(failed.value)
    assert not server.alive()


def test_a_server_is_not_started_from_a_thread_that_may_end_before_it(data_dir: Path) -> None:
    with ThreadPoolExecutor(1) as threads:
        started = threads.submit(redis(data_dir).start)

    with pytest.raises(ServerFailed, match="main thread"):
        started.result()


@pytest.mark.needs("postgresql")
@pytest.mark.skipif(find_postgres() is None, reason="no PostgreSQL here")
def test_postgres_moves_its_data_if_its_account_cannot_reach_the_directory(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    has_account = os.geteuid() == 0  # otherwise it runs as we do, and reaches what we reach
    data_dir.parent.chmod(0o700)

    with postgres(data_dir) as server:
        write(server)
    with postgres(data_dir) as later:
        kept = read(later)

    where = (data_dir / "elsewhere" if has_account else data_dir).resolve()
    assert server.data_dir == later.data_dir == where
    assert (f"its data is in {where}" in caplog.text) == has_account
    assert kept == [1, 2]
    shutil.rmtree(where)
