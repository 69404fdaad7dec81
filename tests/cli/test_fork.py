"""The operator makes a new organization of another one, as it was at a point of its log."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from cli.__main__ import main
from cli.upkeep.forking import Fork
from commands.lint.walk import lint_log
from commands.work.project import EditProject
from domain.base import ProjectId
from domain.work.project.events import Visibility
from runtime.settings import load_settings
from runtime.system import open_system
from tests.cli.history import record_history
from tests.domain.spec import ACME
from tests.eventstore.conftest import postgres_server, postgres_url
from tests.spec import context

__all__ = ["postgres_server", "postgres_url"]  # fixtures, found by their names

pytestmark = pytest.mark.servers


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Record two organizations."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    record_history()
    return tmp_path


def test_a_fork_keeps_every_rule(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fork", "acme", "--subdomain", "acme-copy"]) == 0

    told = capsys.readouterr().out
    assert "acme-copy" in told
    assert "fewer people" not in told
    assert asyncio.run(_findings()) == []


def test_a_fork_tells_what_is_for_fewer_people(
    history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(_hide())

    assert main(["fork", "acme", "--subdomain", "acme-then", "--at", "7"]) == 0

    assert "; teams, projects and views for fewer people: 1" in capsys.readouterr().out
    assert asyncio.run(_findings()) == []


async def _hide() -> None:
    """Make ACME's project private."""
    async with open_system(load_settings()) as system:
        rows = await system.log.organization(ACME, 0, 100)
        [project, *_] = [row.stream_id for row in rows if row.tag == "project.created"]
        hide = EditProject(project_id=ProjectId(project), visibility=Visibility.PRIVATE)
        await system.commands.handle(hide, context())


@pytest.fixture(params=["sqlite", "postgresql"])
def partitioned_log(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Record two organizations in a log of 64 partitions."""
    url = f"sqlite:///{tmp_path}/events/events.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("EVENTS_URL", f"{url}?partitions=64")
    assert main(["migrate"]) == 0
    record_history()


@pytest.mark.usefixtures("partitioned_log")
def test_a_fork_is_in_a_partition_of_its_own() -> None:
    assert main(["fork", "acme", "--subdomain", "acme-copy"]) == 0
    assert main(["fork", "acme-copy", "--subdomain", "acme-copy-copy"]) == 0

    assert main(["lint-log"]) == 0


def test_a_fork_of_an_earlier_state_has_its_own_name(
    history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["fork", "acme", "--subdomain", "acme-then", "--name", "Then", "--at", "5"]
    assert main(asked) == 0
    assert "at event 7" in capsys.readouterr().out  # which was recorded with the fifth

    assert main(asked) == 1
    assert "acme-then is there already" in capsys.readouterr().err
    assert asyncio.run(_findings()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["nobody", "--subdomain", "copy"], 2, "no organization has the subdomain nobody"),
        (["acme", "--subdomain", "a"], 2, "A subdomain has"),
        (["acme", "--subdomain", "other"], 2, "other is taken"),
        (["acme", "--subdomain", "copy", "--at", "0"], 2, "has the events 1 to"),
        (["acme", "--subdomain", "copy", "--at", "99999"], 2, "has the events 1 to"),
        (["acme", "--subdomain", "copy", "--at", "noon"], 2, "neither a number nor a time"),
        (["acme", "--subdomain", "copy", "--at", "2026-03-01T10:00"], 2, "no time zone"),
        (["acme", "--subdomain", "copy", "--at", "2001-03-01T10:00Z"], 2, "no such organization"),
        (["acme", "--subdomain", "copy", "--name", "x" * 300], 2, "name"),
    ],
)
def test_what_cannot_be_made_is_refused_in_words(
    arguments: list[str],
    code: int,
    told: str,
    history: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["fork", *arguments]) == code
    assert told in capsys.readouterr().err
    assert asyncio.run(_findings()) == []


def test_a_fork_that_was_begun_is_told_of_and_can_be_given_up(
    history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(_begin("acme-copy"))
    assert main(["doctor", "--json"]) in {0, 1}
    [told] = _of_forks(capsys)
    assert "the fork acme-copy of" in told["message"]

    assert main(["fork", "acme", "--subdomain", "acme-copy", "--abandon"]) == 0

    assert "acme-copy is given up" in capsys.readouterr().out
    assert main(["doctor", "--json"]) in {0, 1}
    assert _of_forks(capsys) == [
        {"well": True, "check": "forks", "message": "none is unfinished"},
    ]
    assert main(["fork", "acme", "--subdomain", "acme-copy", "--abandon"]) == 2
    assert "no fork acme-copy of acme is unfinished" in capsys.readouterr().err
    assert main(["fork", "acme", "--subdomain", "acme-copy"]) == 0
    assert main(["fork", "acme", "--subdomain", "acme-copy", "--abandon"]) == 2
    assert asyncio.run(_findings()) == []


def test_a_fork_is_given_up_as_it_is(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["fork", "acme", "--subdomain", "acme-copy", "--abandon", "--at", "5"]
    assert main(asked) == 2
    assert "neither --name nor --at" in capsys.readouterr().err


@pytest.mark.usefixtures("partitioned_log")
def test_a_fork_in_another_partition_is_given_up() -> None:
    asyncio.run(_begin("acme-copy"))
    assert main(["fork", "acme", "--subdomain", "acme-copy", "--abandon"]) == 0

    assert main(["lint-log"]) == 0


def test_a_fork_that_was_begun_before_a_restore_is_given_up(
    history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(_begin("acme-copy"))
    asyncio.run(_seal())
    backup = str(history / "backup")
    assert main(["backup", backup]) == 0
    assert main(["fork", "acme", "--subdomain", "lost"]) == 0
    asyncio.run(_seal())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVENTS_URL", f"sqlite:///{history}/two/events.db")
        assert main(["restore", backup]) == 0
        assert main(["accept-restore"]) == 0

        assert main(["fork", "acme", "--subdomain", "acme-copy"]) == 1
        assert "give it up with --abandon" in capsys.readouterr().err
        assert main(["fork", "acme", "--subdomain", "acme-copy", "--abandon"]) == 0
        assert main(["fork", "acme", "--subdomain", "acme-copy"]) == 0
        assert asyncio.run(_findings()) == []


async def _seal() -> None:
    """Sign the trees of what was recorded."""
    async with open_system(load_settings()) as system:
        await system.tree_signer.seal_new()


async def _begin(subdomain: str) -> None:
    """Begin a fork of ACME, of which everything is copied and nothing finished."""
    async with open_system(load_settings()) as system:
        fork = Fork(system, ACME, subdomain)
        await fork.begin("")
        await fork.copy(lambda *_: None)


def _of_forks(capsys: pytest.CaptureFixture[str]) -> list[Any]:
    """Return what the doctor says of forks."""
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    return [each for each in report["findings"] if each["check"] == "forks"]


async def _findings() -> list[str]:
    async with open_system(load_settings()) as system:
        return [str(finding) async for finding in lint_log(system.log)]
