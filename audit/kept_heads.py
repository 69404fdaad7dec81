"""The newest signed tree heads, kept outside the event database.

A database that was set back to a backup has forgotten what it signed; these have not. For each
organization, the head with the highest epoch and size counts. Several processes may add heads.
"""

import fcntl
import logging
import os
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, Self
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.base import OrgId
from eventstore.store import LogIdentity
from eventstore.trees import TreeHead

_SPARE_LINES = 1_000
"""How many outdated lines the file may have before it is rewritten."""

_logger = logging.getLogger(__name__)


class KeptHead(Struct, frozen=True):
    """A signed tree head of an organization, and the log and epoch that it was signed in."""

    log: UUID
    epoch: int
    org: OrgId
    size: int
    note: str

    @property
    def rank(self) -> tuple[int, int]:
        """The sort key by which the newest head of an organization is the highest."""
        return self.epoch, self.size

    @classmethod
    def of(cls, identity: LogIdentity, head: TreeHead) -> Self:
        """Return *head* as it is kept."""
        return cls(identity.id, identity.epoch, head.org_id, head.size, head.note)


class HeadsUnavailable(Exception):
    """The place where heads are kept does not answer, or cannot be read."""


class KeptHeads(Protocol):
    """A place where heads are kept; one contract suite runs against all of them."""

    def newest(self) -> dict[OrgId, KeptHead]:
        """Return the newest head of each organization.

        :raises HeadsUnavailable: they cannot be read now.
        """
        ...

    def keep(self, identity: LogIdentity, heads: Sequence[TreeHead]) -> None:
        """Add signed heads; a failure is only logged, as the database has them as well."""
        ...

    def forget(self) -> None:
        """Remove all heads, after an operator has accepted the loss of the events they cover.

        :raises HeadsUnavailable: they cannot be removed now.
        """
        ...


_decode = msgspec.json.Decoder(KeptHead).decode
_encode = msgspec.json.Encoder().encode


class FileHeads:
    """The heads in a file, a line of JSON for each; it need not exist."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._failing = False

    def newest(self) -> dict[OrgId, KeptHead]:
        """Return the newest head of each organization.

        :raises HeadsUnavailable: the file exists but cannot be read.
        """
        try:
            return newest_of(self._lines())
        except OSError as error:
            raise HeadsUnavailable(f"signed tree heads: {error}") from error

    def keep(self, identity: LogIdentity, heads: Sequence[TreeHead]) -> None:
        """Add signed heads; a failure is only logged, as the database has them as well."""
        if not heads:
            return
        try:
            with self._locked():
                self._append([KeptHead.of(identity, head) for head in heads])
        except OSError:
            if not self._failing:
                _logger.exception("signed tree heads cannot be kept in %s", self._path)
            self._failing = True
        else:
            self._failing = False

    def forget(self) -> None:
        """Remove all heads, after an operator has accepted the loss of the events they cover.

        :raises HeadsUnavailable: the file cannot be written.
        """
        try:
            with self._locked():
                self._write([])
        except OSError as error:
            raise HeadsUnavailable(f"signed tree heads: {error}") from error

    def _append(self, heads: Sequence[KeptHead]) -> None:
        with _private(self._path, os.O_APPEND) as file:
            # The line break comes first, because a crash may have cut off the previous line.
            file.write(b"\n" + b"".join(_encode(head) + b"\n" for head in heads))
            file.flush()
            os.fsync(file.fileno())
            size = os.fstat(file.fileno()).st_size
        if size > (_SPARE_LINES * len(heads[-1].note)):
            lines = self._lines()
            newest = newest_of(lines)
            if len(lines) > 2 * len(newest) + _SPARE_LINES:
                self._write(newest.values())

    def _write(self, heads: Iterable[KeptHead]) -> None:
        fresh = self._path.with_name(f"{self._path.name}.new")
        with _private(fresh, os.O_TRUNC) as file:
            file.writelines(_encode(head) + b"\n" for head in heads)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)

    def _lines(self) -> list[KeptHead]:
        try:
            stored = self._path.read_bytes()
        except FileNotFoundError:
            return []
        found: list[KeptHead] = []
        for line in filter(None, stored.splitlines()):
            try:
                found.append(_decode(line))
            except msgspec.MsgspecError:
                _logger.warning("%s has a line that cannot be read; it is ignored", self._path)
        return found

    @contextmanager
    def _locked(self) -> Generator[None]:
        """Let only one process write at a time; a lock file is needed as the file gets replaced."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with _private(self._path.with_name(f"{self._path.name}.lock"), os.O_APPEND) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _private(path: Path, how: int) -> BinaryIO:
    """Return a file, opened for writing, that only its owner can read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600), "wb")


def newest_of(heads: Iterable[KeptHead]) -> dict[OrgId, KeptHead]:
    """Return the newest of *heads* for each organization."""
    newest: dict[OrgId, KeptHead] = {}
    for head in heads:
        if head.org not in newest or newest[head.org].rank <= head.rank:
            newest[head.org] = head
    return newest
