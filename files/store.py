"""The port of every file store; one contract suite runs against all of them.

A file is written whole or not at all, under a key that only we make, and never changed. All methods
have deadlines, and none holds more than a few MiB of a file in memory.
"""

from collections.abc import AsyncIterable, AsyncIterator
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.base import OrgId

PIECE_BYTES = 1024 * 1024
"""How much of a file is moved at once."""


class FilesUnavailable(Exception):
    """The file store does not answer, or cannot write."""


class FileMissing(Exception):
    """The file store has no file under this key."""


class FileKey(NamedTuple):
    """Where a file is: made of random ids, so that no name of a customer is ever a path."""

    org_id: OrgId
    file_id: UUID

    @property
    def path(self) -> str:
        """The key as a relative path."""
        return f"{self.org_id}/{self.file_id}"


class StoredFile(NamedTuple):
    """A file that a store has: its key, its size in bytes and when it was written, UTC."""

    key: FileKey
    size: int
    written_at: datetime


class FileStore(Protocol):
    """Keeps files. Every method can raise ``FilesUnavailable``."""

    async def put(self, key: FileKey, content: AsyncIterable[bytes]) -> None:
        """Write a file durably. Whatever *content* raises is raised, and nothing is left."""
        ...

    def read(self, key: FileKey, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes of a file from *start* up to, and not including, *end*.

        :raises FileMissing: there is no such file; before the first bytes.
        """
        ...

    async def size(self, key: FileKey) -> int:
        """Return the size of a file in bytes.

        :raises FileMissing: there is no such file.
        """
        ...

    async def remove(self, key: FileKey) -> None:
        """Remove a file; there may be none."""
        ...

    def files(self) -> AsyncIterator[StoredFile]:
        """Yield every file, in no particular order; one written meanwhile may be missing."""
        ...

    async def sweep_parts(self, before: datetime) -> int:
        """Remove what uploads cut off before *before* have left; return how many."""
        ...

    async def close(self) -> None:
        """Release every connection and thread."""
        ...


def key_at(path: str) -> FileKey | None:
    """Return the key whose ``path`` this is, None if it is no file of ours."""
    org, _, name = path.partition("/")
    try:
        key = FileKey(OrgId(UUID(org)), UUID(name))
    except ValueError:
        return None
    return key if key.path == path else None
