"""Eight clients in two processes send any command of the work at once; no rule breaks."""

import asyncio
import sys
from collections import Counter
from pathlib import Path

import pytest

from commands.lint.walk import lint_log
from eventstore.open import open_store
from tests.commands.acme import ACCOUNTS, HERE
from tests.eventstore.processes.hammering import CLIENTS, COMMANDS
from tests.spec import opened, record

PROCESSES = 2


@pytest.mark.servers
@pytest.mark.timeout(120)
async def test_lint_log_finds_nothing_after_eight_clients_hammered_the_log(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    async with opened(await asyncio.to_thread(open_store, url)) as log:
        await record(log, *ACCOUNTS, *HERE)

    became = Counter(await hammered(url))

    assert became.total() > PROCESSES * CLIENTS * COMMANDS
    assert len(became) > 25
    async with opened(await asyncio.to_thread(open_store, url)) as log:
        assert await log.last_position() > 100
        assert [str(finding) async for finding in lint_log(log)] == []


async def hammered(url: str) -> list[str]:
    """Let two processes hammer the log; return what became of each command."""
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.eventstore.processes.hammering", url, str(n),
            stdout=asyncio.subprocess.PIPE,
        )
        for n in range(PROCESSES)
    ]  # fmt: skip
    try:
        outputs = [(await process.communicate())[0] for process in processes]
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert [process.returncode for process in processes] == [0] * PROCESSES
    return b"".join(outputs).decode().split()
