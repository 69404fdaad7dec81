"""The file of the read models: checks that it is still the one that was opened.

A file that is deleted or replaced while it is open still accepts writes that nobody else sees. So
every process compares the file that it has opened with the one at the path. A file that cannot be
trusted is set aside, and its contents are rebuilt from the log.
"""

import contextlib
import fcntl
import logging
import os
import struct
from collections.abc import Generator
from pathlib import Path

PRIVATE = 0o600
_REVISION = struct.Struct("<Q")
_logger = logging.getLogger(__name__)

Identity = tuple[int, int, int]
"""Device and inode of the database, and the inode of its write-ahead log, 0 if there is none."""


class Files:
    """A database file by its path.

    Next to it are ``-revision``, the number of the newest write, which reveals a lost write-ahead
    log, and ``-damaged``, with which a reader reports damage to the writer.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.wal = path.with_name(f"{path.name}-wal")
        self._revision = path.with_name(f"{path.name}-revision")
        self._damaged = path.with_name(f"{path.name}-damaged")
        self._lock = path.with_name(f"{path.name}-lock")

    def identity(self) -> Identity | None:
        """Return the identity of the file at the path, None if there is no file."""
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            return None
        try:
            wal = os.stat(self.wal).st_ino
        except FileNotFoundError:
            wal = 0
        return found.st_dev, found.st_ino, wal

    def wal_bytes(self) -> int:
        """Return the size of the write-ahead log."""
        try:
            return os.stat(self.wal).st_size
        except FileNotFoundError:
            return 0

    @contextlib.contextmanager
    def alone(self) -> Generator[None]:
        """Prevent other processes from opening the file for writing during the block."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, PRIVATE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def make(self) -> None:
        """Create the file, empty and readable only by its owner, unless it exists."""
        if not self.path.exists():
            self._sweep()
            # Not if it exists: to close it again would drop SQLite's locks in this process, and the
            # next one that closes it would take itself for the last and remove the -wal file.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE))

    def discard(self, why: str) -> None:
        """Set the file aside; whoever opens it next starts with an empty one."""
        _logger.error("the read models in %s are rebuilt: %s", self.path, why)
        with contextlib.suppress(FileNotFoundError):
            self.path.replace(self.path.with_name(f"{self.path.name}-bad"))
        self._sweep()

    def _sweep(self) -> None:
        shm = self.path.with_name(f"{self.path.name}-shm")
        for companion in (self.wal, shm, self._revision, self._damaged):
            companion.unlink(missing_ok=True)

    # Messages between processes -----------------------------------------------

    def tell_damaged(self, identity: Identity | None) -> None:
        """Report to the writer that a reader found the file with *identity* damaged."""
        if identity is not None:
            with contextlib.suppress(OSError):
                self._damaged.write_text(f"{identity[0]}:{identity[1]}")

    def is_said_damaged(self) -> bool:
        """Return whether a reader reported the present file as damaged."""
        try:
            told = self._damaged.read_text()
        except FileNotFoundError:
            return False
        now = self.identity()
        return now is not None and told == f"{now[0]}:{now[1]}"

    def note_revision(self, revision: int) -> None:
        """Note outside the database that its write number *revision* was committed."""
        file = os.open(self._revision, os.O_WRONLY | os.O_CREAT, PRIVATE)
        try:
            os.pwrite(file, _REVISION.pack(revision), 0)
        finally:
            os.close(file)

    def noted_revision(self) -> int:
        """Return the number of the newest write, 0 if there is none."""
        try:
            told = self._revision.read_bytes()
        except FileNotFoundError:
            return 0
        return int(_REVISION.unpack(told)[0]) if len(told) == _REVISION.size else 0
