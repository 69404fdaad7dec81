"""The locks that SQLite holds on the file of the read models outlast what else is done to it."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

from eventstore.engine.sqlite.driver import connect
from projections.engine.sqlite.files import Files

WRITE_AND_CLOSE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("INSERT INTO t VALUES (1)")
connection.close()
"""


def test_a_process_that_closes_the_file_is_not_the_last_while_another_has_it_open(
    tmp_path: Path,
) -> None:
    files = Files(tmp_path / "models.db")
    with files.alone():
        files.make()
    with closing(connect(files.path)) as here:
        here.execute("PRAGMA journal_mode = WAL")
        here.execute("CREATE TABLE t (n)")
        with files.alone():
            files.make()

        other = [sys.executable, "-c", WRITE_AND_CLOSE, str(files.path)]
        subprocess.run(other, check=True, timeout=50)

        assert files.wal.exists()  # only the last to close may remove it
        assert here.execute("SELECT n FROM t").fetchall() == [(1,)]
