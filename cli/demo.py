"""``demo``: run a story on a real system and check each of its claims.

Uses the system that ``up`` runs in this DATA_DIR; without one it starts its own temporarily.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

from rich.console import Console

from cli.running import Running, find_running
from cli.story.chapters import CHAPTERS
from cli.story.claims import ClaimFailed, Story
from devstack import DevstackError
from devstack.port import HeldPort

START_S = 90.0
_POLL_S = 0.1


def run() -> int:
    """Run the story; return 1 if a claim is false."""
    console = Console(highlight=False)
    with _system(console) as running:
        try:
            asyncio.run(_tell(Story(console, running)))
        except ClaimFailed as failed:
            console.print(f"[red]FALSE[/red] {failed}")
            return 1
    console.print("\nEvery claim was true.")
    return 0


async def _tell(story: Story) -> None:
    async with story:
        for number, (heading, chapter) in enumerate(CHAPTERS, start=1):
            story.console.print(f"\n[bold]{number}. {heading}[/bold]")
            await chapter(story)


@contextlib.contextmanager
def _system(console: Console) -> Generator[Running]:
    running = find_running()
    if running is not None:
        console.print(f"using the system at {running.url}")
        yield running
        return
    with tempfile.TemporaryDirectory(prefix="trackrecord-demo-") as directory:
        Path(directory).chmod(0o755)
        console.print("no system is running here; starting one for this demo …")
        environment = {**os.environ, "DATA_DIR": directory, "PORT": str(int(HeldPort()))}
        command = [sys.executable, "-m", "cli", "up", "--no-demo"]
        child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command
        try:
            yield _ready(child, Path(directory))
        finally:
            child.terminate()
            child.wait()


def _ready(child: subprocess.Popen[bytes], directory: Path) -> Running:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        running = find_running(directory)
        if running is not None:
            return running
        if child.poll() is not None:
            raise DevstackError(f"the system exited with {child.returncode}")
        time.sleep(_POLL_S)
    raise DevstackError(f"the system did not start within {START_S:.0f} s")
