"""The format: what was written comes back, and a changed byte is found by its frame."""

import io
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventstore.backup.frame import (
    FIRST_LINE,
    BackupDamaged,
    Beginning,
    Ending,
    Frame,
    FrameReader,
    FrameWriter,
    Slice,
)

INTEGERS = st.integers(-(2**63), 2**63 - 1)
VALUES = st.none() | INTEGERS | st.text() | st.binary()
SLICES: st.SearchStrategy[Frame] = st.integers(0, 4).flatmap(
    lambda width: st.builds(
        Slice,
        table=st.text(),
        columns=st.tuples(*[st.text()] * width),
        rows=st.lists(st.tuples(*[VALUES] * width), max_size=5),
    )
)
FRAMES = st.lists(
    st.builds(Beginning, st.binary(min_size=16, max_size=16), INTEGERS, INTEGERS, st.text())
    | SLICES
    | st.builds(
        Ending,
        st.dictionaries(st.integers(0, 1_023), INTEGERS),
        st.dictionaries(st.text(), INTEGERS),
    ),
    max_size=6,
)


def written(frames: list[Frame]) -> bytes:
    file = io.BytesIO()
    file.write(FIRST_LINE)
    writer = FrameWriter(file, bytes(32))
    for frame in frames:
        writer.write(frame)
    return file.getvalue()


def read(stored: bytes) -> list[Frame]:
    return list(FrameReader(io.BytesIO(stored)))


@given(FRAMES)
def test_every_frame_is_read_back_unchanged(frames: list[Frame]) -> None:
    assert read(written(frames)) == frames


@given(FRAMES.filter(bool), st.data())
def test_any_changed_byte_is_found_and_no_frame_behind_it_is_given_out(
    frames: list[Frame], data: Any
) -> None:
    stored = bytearray(written(frames))
    at = data.draw(st.integers(0, len(stored) - 1))
    stored[at] ^= data.draw(st.integers(1, 255))

    found: list[Frame] = []
    with pytest.raises(BackupDamaged):
        found.extend(FrameReader(io.BytesIO(stored)))

    assert found == frames[: len(found)]
    assert len(found) < len(frames)


def test_damage_is_named_by_its_frame_and_place() -> None:
    frames: list[Frame] = [Slice("events", ("n",), [(n,)]) for n in range(3)]
    stored = bytearray(written(frames))
    second = len(written(frames[:1]))
    stored[second + 10] ^= 1

    with pytest.raises(BackupDamaged, match=f"frame 2, at byte {second}, is damaged"):
        read(bytes(stored))


@given(FRAMES.filter(lambda frames: len(frames) > 1), st.data())
def test_a_frame_that_was_dropped_or_moved_is_found(frames: list[Frame], data: Any) -> None:
    ends = [len(written(frames[:count])) for count in range(len(frames) + 1)]
    pieces = [written(frames)[a:b] for a, b in itertools.pairwise(ends)]
    kept = data.draw(st.permutations(pieces)) if data.draw(st.booleans()) else pieces[1:]

    if kept != pieces:
        with pytest.raises(BackupDamaged):
            read(FIRST_LINE + b"".join(kept))


def test_another_file_is_no_backup() -> None:
    for stored in (b"", b"SQLite format 3\x00", FIRST_LINE[:-1]):
        with pytest.raises(BackupDamaged, match="is not a Trackrecord backup"):
            read(stored)
