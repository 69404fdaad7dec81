"""Processes that run side by side, and what became of their commands."""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence


async def outcomes_of(module: str, arguments: Sequence[Sequence[str]]) -> Counter[str]:
    """Run *module* in a process for each of *arguments*; return the words it prints, counted."""
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *each, stdout=asyncio.subprocess.PIPE
        )
        for each in arguments
    ]
    try:
        outputs = [(await process.communicate())[0] for process in started]
    finally:
        for process in started:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert [process.returncode for process in started] == [0] * len(started)
    return Counter(b"".join(outputs).decode().split())
