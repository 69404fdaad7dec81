"""The README's claims, checked on real processes."""

import asyncio
import os
import shutil
import signal
import socket
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from tests.acceptance.customers import Customer
from tests.acceptance.system import System, data_directory, environment, eventually, system
from tests.deliveries.receiver import Receiver

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def running() -> Iterator[System]:
    with system() as started:
        yield started


def test_the_demo_runs_to_its_end(running: System) -> None:
    told = running.command("demo")

    assert told.returncode == 0, told.stdout + told.stderr
    assert "Every claim was true." in told.stdout


async def test_the_same_system_runs_with_its_read_models_in_mongodb(mongo_url: str) -> None:
    with system(MONGODB_URI=mongo_url, MONGODB_DATABASE="acceptance") as on_mongodb:
        async with Receiver() as receiver:
            customer = Customer(on_mongodb, receiver)
            await customer.arrive()
            await customer.work(lambda: len(customer.acknowledged) >= 5)
            await on_mongodb.kill("follow")
            await customer.work(lambda: len(customer.acknowledged) >= 10)

            assert await customer.tasks() == customer.acknowledged
            await customer.http.aclose()
        verified = on_mongodb.command("rebuild", "--all", "--verify")

        assert verified.returncode == 0, verified.stdout + verified.stderr
        assert not list(on_mongodb.data_dir.glob("readmodels.db*"))


def test_doctor_reports_a_healthy_system(running: System) -> None:
    examined = running.command("doctor")

    assert examined.returncode == 0, examined.stdout + examined.stderr
    assert "BAD" not in examined.stdout


async def test_the_doctor_names_an_event_that_was_edited_in_the_database(running: System) -> None:
    async with Receiver() as receiver:
        customer = Customer(running, receiver)
        await customer.arrive()
        await customer.http.aclose()
    await asyncio.to_thread(eventually, partial(_signed, running), "a tree is signed")
    with data_directory() as directory:
        shutil.copy(running.data_dir / "secrets.json", directory)
        with (
            closing(sqlite3.connect(running.data_dir / "events.db")) as original,
            closing(sqlite3.connect(directory / "events.db")) as copy,
        ):
            original.backup(copy)
            signed = "SELECT org_id, size FROM tree_heads ORDER BY size DESC LIMIT 1"
            [(org_id, _)] = copy.execute(signed).fetchall()
            for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
                copy.execute(f"DROP TRIGGER {name}")
            edit = (
                "UPDATE events SET state = replace(state, ':', ': ')"
                " WHERE org_id = ? AND org_seq = 2"
            )
            assert copy.execute(edit, (org_id,)).rowcount == 1
            copy.commit()
        alone = System(directory)
        untouched = running.command("doctor", "--deep")

        edited = alone.command("doctor", "--deep")

    assert untouched.returncode == 0, untouched.stdout + untouched.stderr
    assert edited.returncode == 1
    assert str(UUID(bytes=org_id)) in edited.stdout


def _signed(running: System) -> bool | None:
    """Return whether the tree of an organization with several events is signed."""
    with closing(sqlite3.connect(running.data_dir / "events.db")) as database:
        found = database.execute("SELECT 1 FROM tree_heads WHERE size > 1 LIMIT 1").fetchall()
    return True if found else None


def test_a_second_system_in_the_same_directory_is_refused(running: System) -> None:
    second = running.command("up", "--no-demo")

    assert second.returncode == 1
    assert "in use" in second.stderr


def test_a_taken_port_is_one_sentence_and_nothing_is_created_in_the_other_system(
    running: System,
) -> None:
    before = running.command("replay").stdout
    with data_directory() as directory:
        other = System(directory)
        other.environment = environment(directory, PORT=running.running.url.rpartition(":")[2])

        refused = other.command("up")

    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "PORT" in refused.stderr
    assert running.command("replay").stdout == before


def test_only_the_owner_can_read_the_data_directory(running: System) -> None:
    directory = running.data_dir
    files = [path for path in directory.iterdir() if path.is_file()]

    assert {"events.db", "events.db-wal", "secrets.json", "running.json"} <= {
        path.name for path in files
    }
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_the_embedded_redis_asks_for_a_password(running: System) -> None:
    port = urlsplit(running.running.environment["REDIS_URL"]).port
    assert port is not None

    with socket.create_connection(("127.0.0.1", port), timeout=5) as stranger:
        stranger.sendall(b"PING\r\n")

        assert stranger.recv(64).startswith(b"-NOAUTH")


def test_ctrl_c_stops_everything_and_a_new_start_finds_everything(running: System) -> None:
    before = running.command("replay").stdout
    processes = running.running.processes

    assert running.stop() == 0

    for name, pid in processes.items():
        assert _gone(pid), f"{name} still runs"
    running.start()
    assert running.command("replay").stdout.startswith(before)


def test_killing_the_supervisor_leaves_no_process_behind() -> None:
    with data_directory() as directory:
        alone = System(directory)
        alone.start()
        processes = alone.running.processes
        assert alone.process is not None

        alone.process.send_signal(signal.SIGKILL)
        alone.process.wait()

        for pid in processes.values():
            eventually(partial(_gone, pid), f"process {pid} ends")


def _gone(pid: int) -> bool | None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return None


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "many"), ("APP_ENV", "production"), ("EVENTS_URL", "mysql://x")]
)
def test_each_wrong_setting_is_reported_on_one_line_with_exit_code_2(name: str, value: str) -> None:
    with data_directory() as directory:
        alone = System(directory)
        alone.environment = environment(directory, **{name: value})

        refused = alone.command("up")

        assert refused.returncode == 2
        assert refused.stderr.startswith("trackrecord: setting ")
        assert "Traceback" not in refused.stderr
