"""Measures the contents of a file while it is stored: its type, its size and its SHA-256."""

import hashlib
from collections.abc import AsyncIterator

from api.http.problem import Problem
from files.media_type import ANYTHING, HEAD_BYTES, TypeMismatch, checked_type


class MeasuredContent:
    """The bytes of a file on their way to the store: checked, counted and hashed."""

    def __init__(self, given: AsyncIterator[bytes], declared: str | None) -> None:
        """Measure what is *given* of a file that is said to have the media type *declared*."""
        self._given, self._declared = given, declared
        self.size = 0
        self._digest = hashlib.sha256()
        self.media_type = ANYTHING

    @property
    def sha256(self) -> str:
        """The SHA-256 of what was read so far, in hexadecimal."""
        return self._digest.hexdigest()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the bytes, of which none is stored before their type is checked.

        :raises Problem: 415: they are not of the type that was declared.
        """
        head: bytearray | None = bytearray()
        async for piece in self._given:
            self._digest.update(piece)
            self.size += len(piece)
            if head is None:
                yield piece
                continue
            head += piece
            if len(head) >= HEAD_BYTES:
                self._check(head)
                yield bytes(head)
                head = None
        if head is not None:
            self._check(head)
            yield bytes(head)

    def _check(self, head: bytearray) -> None:
        try:
            self.media_type = checked_type(self._declared, bytes(head[:HEAD_BYTES]))
        except TypeMismatch as mismatch:
            raise Problem(
                415,
                "type_mismatch",
                "The file is not of the type that Content-Type declares. Declare the right one, or"
                " application/octet-stream.",
                details={"declared": mismatch.declared, "found": mismatch.found},
            ) from None
