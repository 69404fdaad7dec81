"""Reads a backup file and checks that it is complete."""

from collections.abc import Iterator
from pathlib import Path

from eventstore.backup.database import EVENTS_TABLE
from eventstore.backup.frame import BackupDamaged, Beginning, Ending, Frame, FrameReader, Slice


class BackupFile:
    """A finished backup; every read starts at the beginning and checks every byte."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def frames(self) -> Iterator[tuple[Frame, str]]:
        """Yield each frame together with its number and the checksum of everything up to it.

        :raises BackupDamaged: the file differs from what was written, or is unfinished.
        """
        with self._path.open("rb") as file:
            reader = FrameReader(file)
            frame: Frame | None = None
            for frame in reader:
                yield frame, f"{reader.number}:{reader.checksum.hex()}"
            if not isinstance(frame, Ending):
                raise BackupDamaged(
                    f"the file ends after frame {reader.number} without its last frame: it was cut"
                    " off, or the backup was not finished"
                )

    def beginning(self) -> Beginning:
        """Return the first frame.

        :raises BackupDamaged: it is damaged, or another frame comes first.
        """
        with self._path.open("rb") as file:
            frame = next(iter(FrameReader(file)), None)
        if not isinstance(frame, Beginning):
            raise BackupDamaged("the file does not begin with its first frame")
        return frame

    def slices(self, *tables: str) -> Iterator[Slice]:
        """Yield the slices of *tables* in the order of the file."""
        for frame, _ in self.frames():
            if isinstance(frame, Slice) and frame.table in tables:
                yield frame

    def check(self) -> Ending:
        """Read the whole file; return its last frame.

        :raises BackupDamaged: it differs from what was written, or from its own counts.
        """
        counts: dict[str, int] = {}
        heads: dict[int, int] = {}
        ending: Ending | None = None
        for frame, _ in self.frames():
            if isinstance(frame, Slice):
                counts[frame.table] = counts.get(frame.table, 0) + len(frame.rows)
                if frame.table == EVENTS_TABLE:
                    _count_positions(frame, heads)
            elif isinstance(frame, Ending):
                ending = frame
        if ending is None:
            raise BackupDamaged("the file has no last frame")
        _compare("rows of", {t: n for t, n in ending.counts.items() if n}, counts)
        _compare("the newest position of partition", _grown(ending.heads), heads)
        return ending


def _count_positions(frame: Slice, heads: dict[int, int]) -> None:
    part_at, position_at = frame.columns.index("part"), frame.columns.index("position")
    for row in frame.rows:
        part, position = row[part_at], row[position_at]
        if position != heads.get(part, 0) + 1:
            raise BackupDamaged(
                f"partition {part} has position {position} after {heads.get(part, 0)}"
            )
        heads[part] = position


def _grown(heads: dict[int, int]) -> dict[int, int]:
    return {part: position for part, position in heads.items() if position}


def _compare(what: str, expected: object, found: object) -> None:
    if expected != found:
        raise BackupDamaged(f"{what} each should be {expected}, but is {found}")
