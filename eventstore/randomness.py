"""Random bytes for ids, salts, nonces and keys, read from the system in large blocks.

Reading 16 bytes from the system costs little in itself, but it releases the interpreter lock, and
with a busy writer thread, getting it back costs twenty times as much.
"""

import os
import threading
from io import BytesIO

_DRAUGHT_BYTES = 4096


class _Pool(threading.local):
    """A pool per thread, so that no byte is used twice."""

    def __init__(self) -> None:
        self.drawn = BytesIO()


_pool = _Pool()


def random_bytes(count: int) -> bytes:
    """Return *count* bytes from the system's cryptographic generator, each used only once."""
    found = _pool.drawn.read(count)
    if len(found) < count:
        _pool.drawn = BytesIO(os.urandom(_DRAUGHT_BYTES + count))
        found = _pool.drawn.read(count)
    return found


def _start_over() -> None:
    _pool.drawn = BytesIO()


# A forked child must not return the same bytes as its parent.
os.register_at_fork(after_in_child=_start_over)
