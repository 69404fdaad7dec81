"""A directory for the databases of one benchmark, on a real disk."""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def workplace() -> Generator[Path]:
    """Yield an empty directory and remove it; TMPDIR sets where, and must not be a RAM disk."""
    directory = Path(tempfile.mkdtemp(prefix="trackrecord-bench-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
