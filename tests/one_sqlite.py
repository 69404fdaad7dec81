"""Refuses to open a file by Python's module for SQLite while this process has it open already.

SQLite drops the locks of all connections of a process when another copy of it in that process
closes the file, and ours has one that is not Python's. What a test reads with Python's module must
be closed by the product before, or be read in another process.
"""

import os
import sys
from pathlib import Path

_DESCRIPTORS = Path("/proc/self/fd")


class OpenByTwo(AssertionError):
    """A test opens a file by a second copy of SQLite."""


def watch() -> None:
    """Look at each file that Python's module opens from now on."""
    sys.addaudithook(_look)


def _look(event: str, arguments: tuple[object, ...]) -> None:
    if event != "sqlite3.connect" or not _DESCRIPTORS.exists():
        return
    [name] = arguments
    path = os.fsdecode(name) if isinstance(name, bytes) else str(name)
    if path.endswith(".db") and os.path.realpath(path) in _open_files():
        raise OpenByTwo(f"{path} is open: use eventstore.engine.sqlite.driver.connect")


def _open_files() -> set[str]:
    found: set[str] = set()
    for each in _DESCRIPTORS.iterdir():
        try:
            found.add(str(each.readlink()))
        except FileNotFoundError:  # it was open while they were listed
            continue
    return found
