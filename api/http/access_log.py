"""Access log: one JSON line per request, without addresses, names or query strings.

The lines have the same format as all other log lines. The IP address and user agent are stored,
encrypted, with the events that the request caused; the request id leads to them.
"""

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from security.api_keys import without_keys

FLUSH_S = 0.1
_LINES_MAX = 200

_Write = Callable[[bytes], object]


class AccessLog:
    """Buffers lines briefly and writes them together, since one write per request costs more."""

    def __init__(self, write: _Write | None = None, *, enabled: bool = True) -> None:
        self._write: _Write = _to_stderr if write is None else write
        self._enabled = enabled
        self._lines: list[bytes] = []
        self._encode = msgspec.json.Encoder().encode

    def add(self, method: str, path: str, status: int, took_s: float, request_id: str) -> None:
        """Log one request; *took_s* is in seconds, *status* 499 means that the client left."""
        if not self._enabled:
            return
        line = self._encode(
            {
                "at": datetime.now(UTC),
                "level": "INFO",
                "logger": "access",
                "message": "request",
                "method": method,
                "path": without_keys(path)[:200],
                "status": status,
                "ms": round(took_s * 1000, 2),
                "requestId": request_id,
            }
        )
        self._lines.append(line)
        if len(self._lines) == 1:
            asyncio.get_running_loop().call_later(FLUSH_S, self.flush)
        elif len(self._lines) >= _LINES_MAX:
            self.flush()

    def flush(self) -> None:
        """Write the buffered lines."""
        if self._lines:
            lines, self._lines = self._lines, []
            self._write(b"\n".join(lines) + b"\n")


def _to_stderr(lines: bytes) -> None:
    sys.stderr.buffer.write(lines)
    sys.stderr.buffer.flush()  # or they would wait until 8 KiB have come together
