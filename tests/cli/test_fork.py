"""The operator makes a new organization of another one, as it was at a point of its log."""

import asyncio
from pathlib import Path

import pytest

from cli.__main__ import main
from commands.lint.walk import lint_log
from runtime.settings import load_settings
from runtime.system import open_system
from tests.cli.history import record_history

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

    assert "acme-copy" in capsys.readouterr().out
    assert asyncio.run(_findings()) == []


async def _findings() -> list[str]:
    async with open_system(load_settings()) as system:
        return [str(finding) async for finding in lint_log(system.log)]
