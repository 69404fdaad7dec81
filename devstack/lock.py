"""A lock that gives a data directory one owner at a time.

The lock is `flock` on a file inside the directory. It belongs to the open file, so a child that
inherits the descriptor keeps the directory locked as long as it lives, even if the parent was
killed: a free lock means that nobody uses this directory any more.
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
    """Somebody else is using this data directory."""


class DataDirLock:
    """The lock of one data directory; also a context manager."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._file: int | None = None

    def acquire(self, patience_s: float = 0.0) -> None:
        """Acquire the lock, waiting at most `patience_s` for its holder to release it.

        :raises DataDirBusy: it is still held, possibly by another lock of this process.
        """
        if self._file is not None:
            raise DataDirBusy(f"{self.data_dir} is already locked by this lock")
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
                    "it started); stop it first or choose another data directory"
                )
            time.sleep(_POLL_S)
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        self._file = file

    def release(self) -> None:
        """Release the lock; children that inherited it still hold it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def fileno(self) -> int:
        """Return the descriptor to pass to a child with `pass_fds`.

        :raises DataDirBusy: the lock is not held.
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
