"""A process that holds the lock of an operational file until it is killed."""

import sqlite3
import sys
import time


def hold(path: str) -> None:
    """Lock the file, say so, and stay."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    sys.stdout.write("held\n")
    sys.stdout.flush()
    time.sleep(3_600)


if __name__ == "__main__":
    hold(sys.argv[1])
