"""A directory for the databases of one benchmark, on a real disk unless it only reads."""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_MEMORY = Path("/dev/shm")


@contextmanager
def workplace(*, in_memory: bool = False) -> Generator[Path]:
    """Yield an empty directory and remove it; TMPDIR sets where, and must not be a RAM disk.

    *in_memory* is for what is measured by reading, but prepared by thousands of synced writes.
    """
    where = _MEMORY if in_memory and _MEMORY.is_dir() else None
    directory = Path(tempfile.mkdtemp(prefix="trackrecord-bench-", dir=where))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
