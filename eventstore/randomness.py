"""Random bytes for ids, salts, nonces and keys, read from the system in large blocks.

Reading 16 bytes from the system costs little in itself, but it releases the interpreter lock, and
with a busy writer thread, getting it back costs twenty times as much.
"""

import os
import threading

_DRAUGHT_BYTES = 4096


class _Pool(threading.local):
    """A pool per thread, so that no byte is used twice."""

    def __init__(self) -> None:
        self.bytes = b""
        self.at = 0


_pool = _Pool()


def random_bytes(count: int) -> bytes:
    """Return *count* bytes from the system's cryptographic generator, each used only once."""
    at = _pool.at
    end = at + count
    if end > len(_pool.bytes):
        _pool.bytes = os.urandom(_DRAUGHT_BYTES + count)
        at, end = 0, count
    _pool.at = end
    return _pool.bytes[at:end]


def _start_over() -> None:
    _pool.bytes, _pool.at = b"", 0


# A forked child must not return the same bytes as its parent.
os.register_at_fork(after_in_child=_start_over)
