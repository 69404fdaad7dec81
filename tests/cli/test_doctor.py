"""The doctor names what is wrong, ends in time, and changes nothing."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID, uuid4

import pytest

from cli.__main__ import main
from cli.doctor import EXAMINATIONS
from cli.migrate import migrate
from commands.handler import CommandHandler
from commands.work.project import CreateProject
from domain.base import ProjectId
from domain.hooks.webhook.events import DeliveryMode, WebhookCreated
from eventstore.log_reads import SEQUENCE_MAX
from eventstore.mode import LogMode
from eventstore.open import open_store
from eventstore.operations.records import Endpoint
from eventstore.operations.store import Changes
from eventstore.recorded import mark_of
from projections.catalog import PROJECTIONS
from projections.engine.projector import Projector
from runtime.settings import load_settings
from runtime.system import open_system
from tests.cli.history import record_history
from tests.domain.spec import ACME
from tests.spec import context, on, record

pytestmark = pytest.mark.servers

MORE = 2
"""Events after the backup."""


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the environment a data directory, and no other settings."""
    for name in ("EVENTS_URL", "REDIS_URL", "MONGODB_URI", "APP_ENV", "NODE_ENV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


def examined(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """Return the exit code and the report."""
    code = main(["doctor", "--json", *arguments])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def contents(directory: Path) -> dict[str, bytes]:
    """Return every file; the shared memory of SQLite is no content."""
    return {
        path.name: path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def found(report: dict[str, Any], check: str) -> list[dict[str, Any]]:
    return [finding for finding in report["findings"] if finding["check"] == check]


def test_nothing_is_created_where_nothing_was(
    capsys: pytest.CaptureFixture[str], directory: Path
) -> None:
    assert main(["doctor"]) == 2
    assert "secrets.json is missing" in capsys.readouterr().err
    assert not directory.exists()


def test_doctor_changes_nothing_and_names_what_is_missing(
    capsys: pytest.CaptureFixture[str], directory: Path
) -> None:
    migrate(load_settings().events_url)
    before = contents(directory)

    code, report = examined(capsys)

    assert code == 1
    assert not report["well"]
    assert found(report, "log")[0]["well"]
    assert contents(directory).keys() - before.keys() <= {"events.db"}
    assert {name: text for name, text in contents(directory).items() if name in before} == before


def test_every_check_is_described(capsys: pytest.CaptureFixture[str], directory: Path) -> None:
    migrate(load_settings().events_url)

    _, report = examined(capsys, "--deep")

    models = {each.name for each in PROJECTIONS}
    assert {each["check"] for each in report["findings"]} - models <= EXAMINATIONS.keys()


def test_files_without_tables_stay_without_tables(
    capsys: pytest.CaptureFixture[str], directory: Path
) -> None:
    migrate(load_settings().events_url)
    for name in ("events.db", "operations.db"):
        for file in directory.glob(f"{name}*"):
            file.unlink()
        (directory / name).touch()

    code, report = examined(capsys)

    assert code == 1
    for check in ("log", "webhooks"):
        assert "has no tables" in found(report, check)[0]["message"]
    for name in ("events.db", "operations.db"):
        assert (directory / name).read_bytes() == b""


def test_a_log_of_the_old_shape_is_named_and_not_touched(
    capsys: pytest.CaptureFixture[str], directory: Path
) -> None:
    load_settings()
    with closing(sqlite3.connect(directory / "events.db")) as old:
        old.execute("CREATE TABLE stored_events (notification_id INTEGER)")
    before = contents(directory)

    code, report = examined(capsys)

    assert code == 1
    assert "0.1" in found(report, "log")[0]["message"]
    assert contents(directory) == before


def test_a_file_that_is_no_database_is_named(
    capsys: pytest.CaptureFixture[str], directory: Path
) -> None:
    load_settings()
    (directory / "events.db").write_text("no database, and long enough to be looked at " * 20)

    code, report = examined(capsys)

    assert code == 1
    assert "not a database" in found(report, "log")[0]["message"]


def test_a_store_that_does_not_answer_does_not_hide_the_others(
    capsys: pytest.CaptureFixture[str], directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(load_settings().events_url)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")

    code, report = examined(capsys)

    assert code == 1
    assert not found(report, "redis")[0]["well"]
    assert found(report, "log")[0]["well"]


def test_the_log_is_named_with_its_epoch_and_whether_it_takes_commands(
    capsys: pytest.CaptureFixture[str], directory: Path
) -> None:
    url = load_settings().events_url
    migrate(url)
    with closing(open_store(url)) as store:
        identity = str(store.identity().id)
        _, before = examined(capsys)
        store.set_mode(LogMode.READ_ONLY)
        _, read_only = examined(capsys)
        store.set_mode(LogMode.CONTRADICTED)
        _, contradicted = examined(capsys)

    assert found(before, "log")[1]["message"] == f"{identity}, epoch 1, takes commands"
    assert "read-only until" in found(read_only, "log")[1]["message"]
    assert found(read_only, "log")[1]["well"]
    assert not found(contradicted, "log")[1]["well"]


def test_comparing_every_event_ends_within_its_deadline(
    capsys: pytest.CaptureFixture[str], directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(load_settings().events_url)
    hangs = Event()
    monkeypatch.setattr("cli.doctor.check_database", lambda *_: hangs.wait())

    code, report = examined(capsys, "--deep", "--within", "0.05")
    hangs.set()

    assert code == 1
    assert "not compared in 0.05 s" in found(report, "every event")[0]["message"]


def test_read_models_and_cursors_ahead_of_a_restored_log_are_errors(
    capsys: pytest.CaptureFixture[str], directory: Path, tmp_path: Path
) -> None:
    backup = str(tmp_path / "backup")
    record_history()
    idle, served = asyncio.run(_subscribe())
    asyncio.run(_catch_up(idle, served))
    assert main(["backup", backup]) == 0
    _, before = examined(capsys)
    asyncio.run(_work_on(served))

    for file in (directory / "events.db", directory / "operations.db"):
        file.rename(f"{file}.newer")
    assert main(["restore", backup]) == 0
    _, restored = examined(capsys)
    (directory / "operations.db.newer").replace(directory / "operations.db")
    code, beside = examined(capsys)

    checks = ("webhook cursors", "audit trees", "read models")
    assert all(each["well"] for check in checks for each in found(before, check))
    [cursors] = found(restored, "webhook cursors")
    assert cursors["well"]  # those in the backup belong to its log
    for report in (restored, beside):
        [models], [trees] = found(report, "read models"), found(report, "audit trees")
        assert models["message"].startswith(f"{MORE} events ahead of the log")
        assert "events, but" in trees["message"]
        assert not models["well"]
        assert not trees["well"]
    [cursors] = found(beside, "webhook cursors")
    assert code == 1
    assert not cursors["well"]
    assert cursors["message"].startswith("1 ahead of the log")
    assert str(served) in cursors["message"]


def test_a_webhook_that_a_restored_log_has_lost_is_an_error_until_the_restore_is_accepted(
    capsys: pytest.CaptureFixture[str], directory: Path, tmp_path: Path
) -> None:
    backup = str(tmp_path / "backup")
    record_history()
    asyncio.run(_catch_up(*asyncio.run(_subscribe())))
    assert main(["backup", backup]) == 0
    lost, _ = asyncio.run(_subscribe())
    asyncio.run(_catch_up(lost))
    (directory / "events.db").rename(tmp_path / "newer.db")
    (directory / "operations.db").rename(tmp_path / "operations.db")
    assert main(["restore", backup]) == 0
    (tmp_path / "operations.db").replace(directory / "operations.db")

    code, restored = examined(capsys)
    assert main(["accept-restore"]) == 0
    _, accepted = examined(capsys)

    [before], [after] = (found(report, "webhook cursors") for report in (restored, accepted))
    assert code == 1
    assert (before["well"], after["well"]) == (False, True)
    for told in (before["message"], after["message"]):
        assert told.startswith("1 of webhooks that the log does not have")
        assert str(lost) in told


async def _subscribe() -> list[UUID]:
    """Create two webhooks of ACME, and sign its tree."""
    webhooks = [uuid4(), uuid4()]
    async with open_system(load_settings()) as system:
        created = WebhookCreated(
            url="https://example.com/hook", events=("*",), mode=DeliveryMode.ORDERED, from_seq=0
        )
        await record(system.log, *(on(each, created) for each in webhooks))
        await system.tree_signer.seal_new()
    return webhooks


async def _work_on(served: UUID) -> None:
    """Record more events, have one webhook and the read models follow, and sign the tree."""
    async with open_system(load_settings()) as system:
        for n in range(MORE):
            creating = CreateProject(project_id=ProjectId(uuid4()), key=f"PRO{n}", name="More")
            await CommandHandler(system.log).handle(creating, context())
        await system.tree_signer.seal_new()
    await _catch_up(served)


async def _catch_up(*webhooks: UUID) -> None:
    """Have the read models and the cursors of webhooks reach the end of the log."""
    async with open_system(load_settings()) as system:
        projector = Projector(PROJECTIONS, system.log, system.read_store, system.wakeups.listener())
        while await projector.step():
            pass
        await projector.release()
        identity = await system.log.identity()
        [newest] = await system.log.organization_before(ACME, SEQUENCE_MAX, 1)
        wanted = [Endpoint(id=str(each), org=str(ACME), fan=0) for each in webhooks]
        for endpoint in await system.operations.claim("doctor's test", 60, wanted):
            fields = {
                "fan": newest.org_seq,
                "fan_event": mark_of(newest),
                "log": f"{identity.id}:{identity.epoch}",
            }
            await system.operations.write(endpoint, Changes(fields=fields))
            await system.operations.release("doctor's test", endpoint.id)
