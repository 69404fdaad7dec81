"""A program that backs up, restores or moves and tells of each slice; made to be killed.

It waits for a line after each slice, or continues at the end of its input.
"""

import sys
from pathlib import Path

from eventstore.backup.reading import BackupFile
from tests.eventstore.backup.steps import backed_up, moved, restored


def tell(table: str, rows: int) -> None:
    """Print the progress in one write, so that no line is torn, and wait for a line."""
    sys.stdout.buffer.write(f"{table} {rows}\n".encode())
    sys.stdout.buffer.flush()
    sys.stdin.readline()


def run(doing: str, url: str, other: str) -> None:
    """Do one of the three between *url* and *other*: the backup, or the new database."""
    match doing:
        case "backup":
            backed_up(url, Path(other), tell)
        case "restore":
            restored(BackupFile(Path(url)), other, tell)
        case _:
            moved(url, other, watch=tell)


if __name__ == "__main__":
    run(*sys.argv[1:])
