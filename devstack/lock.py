"""One owner at a time for a data directory.

The lock is `flock` on a file inside the directory. It belongs to the open file, so a child that
inherits the descriptor keeps the directory locked for as long as the child lives, even when the
parent was killed: a free lock therefore means that nobody works in this directory any more.
"""

import fcntl
import os
import time
from pathlib import Path
from typing import Self

from devstack import DevstackError

LOCK_FILE = ".lock"
_POLL_S = 0.05


class DataDirBusy(DevstackError):
    """Somebody else is working in this data directory."""


class DataDirLock:
    """The right to work in one data directory; also a context manager."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._file: int | None = None

    def acquire(self, patience_s: float = 0.0) -> None:
        """Take the lock, waiting at most `patience_s` for its holder to go away.

        :raises DataDirBusy: when it is still held then, also by another lock of this process.
        """
        if self._file is not None:
            raise DataDirBusy(f"{self.data_dir} is already locked by this very lock")
        self.data_dir.mkdir(parents=True, exist_ok=True)
        path = self.data_dir / LOCK_FILE
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + patience_s
        while not _locked(file):
            if time.monotonic() >= deadline:
                holder = os.pread(file, 32, 0).decode(errors="replace").strip() or "unknown"
                os.close(file)
                raise DataDirBusy(
                    f"{self.data_dir} is in use by another instance (process {holder}, or a server "
                    "it started); stop that one first or choose another data directory"
                )
            time.sleep(_POLL_S)
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        self._file = file

    def release(self) -> None:
        """Give the directory back; children that inherited the lock still hold their share."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def fileno(self) -> int:
        """Return the descriptor to hand to a child with `pass_fds`.

        :raises DataDirBusy: when the lock is not held.
        """
        if self._file is None:
            raise DataDirBusy(f"{self.data_dir} is not locked")
        return self._file

    def __enter__(self) -> Self:
        """Acquire without waiting."""
        self.acquire()
        return self

    def __exit__(self, *exc: object) -> None:
        """Release."""
        self.release()


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
