"""A log that was set back refuses commands until somebody accepts what is lost."""

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cli.__main__ import main
from commands.handler import CommandHandler
from commands.work.project import CreateProject
from domain.audit import LogRestored
from domain.base import OrgId, ProjectId
from eventstore.engine.sqlite.driver import connect
from eventstore.mode import LogClosed, LogMode
from eventstore.recorded import Recorded
from runtime.buckets.kept import open_kept_heads
from runtime.log_guard import LogGuard
from runtime.settings import Settings, load_settings
from runtime.system import System, open_system
from tests.cli.history import exports, record_history
from tests.domain.spec import ACME, OTHER
from tests.spec import context

pytestmark = pytest.mark.servers

MORE = 2


@pytest.fixture
def restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Set a log back to a backup that is older than what was signed; return its settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("EVENTS_URL", f"sqlite:///{tmp_path}/one/events.db")
    backup = str(tmp_path / "backup")
    record_history()
    assert main(["backup", backup]) == 0
    asyncio.run(_record_more(load_settings()))
    monkeypatch.setenv("EVENTS_URL", f"sqlite:///{tmp_path}/two/events.db")
    assert main(["restore", backup]) == 0
    return load_settings()


async def _record_more(settings: Settings) -> None:
    async with open_system(settings) as system:
        for n in range(MORE):
            await _create_project(system, f"PRO{n}")
        await system.tree_signer.seal_new()


async def _create_project(system: System, key: str) -> None:
    creating = CreateProject(project_id=ProjectId(uuid4()), key=key, name=key)
    await CommandHandler(system.log).handle(creating, context())


async def _checked(settings: Settings) -> LogMode:
    """Compare the log as a process that starts does; return its mode then."""
    async with open_system(settings) as system:
        await LogGuard(system).check()
        return system.log.store.mode()


async def _events(settings: Settings, org_id: OrgId) -> list[Recorded]:
    async with open_system(settings) as system:
        return await system.log.decoded(await system.log.organization(org_id, 0, 1_000))


def accepted(settings: Settings, org_id: OrgId) -> list[LogRestored]:
    events: list[Any] = [each.event for each in asyncio.run(_events(settings, org_id))]
    return [event for event in events if isinstance(event, LogRestored)]


def test_commands_are_refused_until_the_restore_is_accepted(restored: Settings) -> None:
    async def create() -> None:
        async with open_system(restored) as system:
            await _create_project(system, "NEW")

    assert asyncio.run(_checked(restored)) is LogMode.CONTRADICTED
    with pytest.raises(LogClosed, match="accept-restore"):
        asyncio.run(create())

    assert main(["accept-restore"]) == 0

    asyncio.run(create())
    assert asyncio.run(_checked(restored)) is LogMode.OPEN


def test_each_organization_gets_an_event_with_the_lost_head(restored: Settings) -> None:
    before = len(asyncio.run(_events(restored, ACME)))
    lost = open_kept_heads(restored).newest()[ACME]
    assert lost.size >= before + MORE

    assert main(["accept-restore"]) == 0

    [event] = accepted(restored, ACME)
    assert (event.epoch, event.kept, event.lost_size) == (2, before, lost.size)
    assert event.lost_root == lost.note.splitlines()[2]
    [other] = accepted(restored, OTHER)
    assert (other.epoch, other.lost_size, other.lost_root) == (2, None, None)
    assert main(["accept-restore"]) == 0
    assert accepted(restored, ACME) == [event]


def test_an_export_says_its_epoch_and_verifies(restored: Settings, tmp_path: Path) -> None:
    assert main(["accept-restore"]) == 0

    for org_id, export in exports().items():
        path = tmp_path / str(org_id)
        path.write_bytes(export)
        manifest = export.partition(b"\n")[0]
        assert b'"epoch":2' in manifest
        assert f"trackrecord/{org_id}/2\\n".encode() in manifest
        assert main(["audit", "verify", str(path)]) == 0


def test_an_interrupted_acceptance_can_be_resumed(restored: Settings) -> None:
    async def interrupted() -> None:
        async with open_system(restored) as system:
            system.log.store.raise_epoch(2)
            system.log.store.set_mode(LogMode.ACCEPTING)

    asyncio.run(interrupted())
    lost = open_kept_heads(restored).newest()[ACME]

    assert main(["accept-restore"]) == 0

    [event] = accepted(restored, ACME)
    assert (event.epoch, event.lost_size) == (2, lost.size)
    assert asyncio.run(_checked(restored)) is LogMode.OPEN


def test_other_events_in_the_place_of_signed_ones_are_noticed(restored: Settings) -> None:
    async def grown() -> None:
        async with open_system(restored) as system:
            for n in range(MORE + 1):
                await _create_project(system, f"ELS{n}")

    asyncio.run(grown())

    assert asyncio.run(_checked(restored)) is LogMode.CONTRADICTED


def test_a_running_process_notices_that_the_end_of_its_log_is_gone(restored: Settings) -> None:
    async def cut() -> LogMode:
        async with open_system(restored) as system:
            await system.tree_signer.seal_new()
            guard = LogGuard(system)
            await guard.check()
            assert system.log.store.mode() is LogMode.OPEN
            path = restored.events_url.removeprefix("sqlite:///")
            with closing(connect(path)) as raw:
                raw.execute("DROP TRIGGER events_never_go")
                raw.execute(
                    "DELETE FROM events WHERE position = (SELECT max(position) FROM events)"
                )
            await guard.check()
            return system.log.store.mode()

    open_kept_heads(restored).forget()
    assert asyncio.run(cut()) is LogMode.CONTRADICTED


def test_a_log_that_has_everything_needs_no_acceptance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("EVENTS_URL", f"sqlite:///{tmp_path}/one/events.db")
    record_history()

    assert main(["accept-restore"]) == 0

    assert "nothing to accept" in capsys.readouterr().out
    assert accepted(load_settings(), ACME) == []
