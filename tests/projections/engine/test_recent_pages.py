"""Pages that were read last stay in memory until the file changes, as far as they fit."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projections.engine.query import ListSlice
from projections.engine.sqlite.recent import PAGES_BYTES_MAX, PAGES_MAX, RecentPages


class File:
    """A file with a reader, whose statements are counted, and a writer."""

    def __init__(self, reader: sqlite3.Connection, writer: sqlite3.Connection) -> None:
        self.reader, self.writer = reader, writer
        self.asked: list[str] = []
        reader.set_trace_callback(self.asked.append)

    @property
    def reads(self) -> int:
        return len([text for text in self.asked if "PRAGMA" not in text])


@pytest.fixture
def file(tmp_path: Path) -> Iterator[File]:
    path = tmp_path / "pages.db"
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as writer,
        closing(sqlite3.connect(path, isolation_level=None)) as reader,
    ):
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE t (n)")
        yield File(reader, writer)


def page(recent: RecentPages, file: File, number: int, size: int = 1) -> ListSlice:
    """Return a page from memory, or read it and keep it."""
    asked = "t", b"%d" % number
    known = recent.get(file.reader, asked)
    if known is None:
        [(json,)] = file.reader.execute(f"SELECT zeroblob({size})").fetchall()
        known = ListSlice(json, 1, None)
        recent.keep(asked, known)
    return known


def test_a_page_is_read_again_only_when_the_file_has_changed(file: File) -> None:
    recent = RecentPages()
    first = page(recent, file, 1)

    assert page(recent, file, 1) == first
    assert file.reads == 1
    file.writer.execute("INSERT INTO t VALUES (1)")
    assert page(recent, file, 1) == first
    assert file.reads == 2


def test_the_oldest_pages_leave_memory(file: File) -> None:
    recent = RecentPages()
    for number in range(PAGES_MAX + 1):
        page(recent, file, number)

    reads = file.reads
    page(recent, file, PAGES_MAX)
    assert file.reads == reads
    page(recent, file, 0)
    assert file.reads == reads + 1


def test_large_pages_leave_memory_earlier(file: File) -> None:
    recent, third = RecentPages(), PAGES_BYTES_MAX // 3
    for number in range(3):  # of which two fit, with what Python adds
        page(recent, file, number, third)

    reads = file.reads
    page(recent, file, 2, third)
    assert file.reads == reads
    page(recent, file, 0, third)
    assert file.reads == reads + 1


def test_a_page_that_is_larger_than_all_may_be_is_not_kept(file: File) -> None:
    recent = RecentPages()
    for _ in range(2):
        page(recent, file, 1, PAGES_BYTES_MAX)
        page(recent, file, 2)

    assert file.reads == 3
