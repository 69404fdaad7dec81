"""The frames of a backup file. The format is described in ``eventstore.backup``."""

import hashlib
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

FIRST_LINE = b"trackrecord-backup/1\n"
_LENGTH_BYTES, _SUM_BYTES = 4, 32
FRAME_BYTES_MAX = 256 * 1024 * 1024
"""More than any slice needs; a larger length means damage, and is not read into memory."""
_COMPRESSION = 1
"""zlib's fastest level: about 70 MB/s, and a fifth of the size."""


class BackupDamaged(Exception):
    """The file differs from what was written; the message names the frame and its offset."""


class Beginning(Struct, frozen=True, tag="beginning", tag_field="type"):
    """Which log this is a backup of."""

    log: bytes
    epoch: int
    parts: int
    made_at: str


class Slice(Struct, frozen=True, tag="rows", tag_field="type"):
    """Some rows of a table. Any: a value is an int, a string, bytes or None."""

    table: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class Ending(Struct, frozen=True, tag="end", tag_field="type"):
    """What a complete backup holds: the newest position by partition, the rows by table."""

    heads: dict[int, int]
    counts: dict[str, int]


Frame = Beginning | Slice | Ending

_pack = msgspec.msgpack.Encoder().encode
_unpack: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(Beginning | Slice | Ending)


class FrameWriter:
    """Adds frames to a file that is positioned after the last one."""

    def __init__(self, file: BinaryIO, checksum: bytes) -> None:
        self._file, self._checksum = file, checksum

    def write(self, frame: Frame) -> None:
        """Add one frame."""
        body = zlib.compress(_pack(frame), _COMPRESSION)
        length = len(body).to_bytes(_LENGTH_BYTES, "big")
        self._checksum = _checksum(self._checksum, length, body)
        self._file.write(length + body + self._checksum)


class FrameReader:
    """Reads frames and checks each one before returning it.

    ``offset`` is where the next frame begins, ``checksum`` is that of the frame before it, and
    ``number`` is how many frames were read.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.offset, self.number, self.checksum = len(FIRST_LINE), 0, bytes(_SUM_BYTES)
        if file.read(len(FIRST_LINE)) != FIRST_LINE:
            raise BackupDamaged("the file is not a Trackrecord backup: its first line is wrong")

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames to the end of the file.

        :raises BackupDamaged: a frame differs from what was written.
        """
        while length := self._file.read(_LENGTH_BYTES):
            size = int.from_bytes(length, "big")
            if len(length) < _LENGTH_BYTES or size > FRAME_BYTES_MAX:
                raise self._damaged()
            body, found = self._file.read(size), self._file.read(_SUM_BYTES)
            checksum = _checksum(self.checksum, length, body)
            if checksum != found:
                raise self._damaged()
            frame = self._opened(body)
            self.number, self.checksum = self.number + 1, checksum
            self.offset += _LENGTH_BYTES + size + _SUM_BYTES
            yield frame

    def _opened(self, body: bytes) -> Frame:
        try:
            return _unpack.decode(zlib.decompress(body))
        except (zlib.error, msgspec.MsgspecError) as error:
            raise self._damaged() from error

    def _damaged(self) -> BackupDamaged:
        return BackupDamaged(
            f"frame {self.number + 1}, at byte {self.offset}, is damaged or cut off"
        )


def _checksum(before: bytes, length: bytes, body: bytes) -> bytes:
    return hashlib.sha256(before + length + body).digest()
