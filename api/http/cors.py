"""CORS: which origins may read responses, by exact match (WHATWG Fetch, section 3.2)."""

from collections.abc import Mapping, Sequence

Header = tuple[bytes, bytes]

PREFLIGHT_S = 600
"""How long browsers may cache a preflight; Chromium caps it at two hours."""

ASKED = (
    b"Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, "
    b"X-Correlation-Id, X-Min-Position, X-Request-Id, X-Requested-With"
)
EXPOSED = (
    b"Allow, Content-Disposition, ETag, Idempotent-Replayed, Link, Location, RateLimit, "
    b"RateLimit-Policy, Retry-After, WWW-Authenticate, X-Correlation-Id, X-Position, X-Request-Id"
)

_VARY: Header = (b"vary", b"Origin")


class Cors:
    """Knows the allowed origins; never ``*``, since requests carry the refresh cookie."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._headers: dict[bytes, list[Header]] = {
            origin.encode(): [
                _VARY,
                (b"access-control-allow-origin", origin.encode()),
                (b"access-control-allow-credentials", b"true"),
                (b"access-control-expose-headers", EXPOSED),
            ]
            for origin in origins
            if origin != "null"
        }
        self._others = [_VARY]

    def headers(self, origin: bytes | None) -> list[Header]:
        """Return the CORS headers of a response to a page of *origin*."""
        return self._others if origin is None else self._headers.get(origin, self._others)

    @staticmethod
    def is_preflight(headers: Mapping[bytes, bytes]) -> bool:
        """Return whether the request is a preflight."""
        return b"origin" in headers and b"access-control-request-method" in headers

    def preflight(self, headers: Mapping[bytes, bytes], methods: Sequence[str]) -> list[Header]:
        """Return the headers of the preflight response for a path that supports *methods*.

        An unknown origin gets none.
        """
        if headers[b"origin"] not in self._headers:
            return []
        return [
            (b"access-control-allow-methods", ", ".join(methods).encode()),
            (b"access-control-allow-headers", ASKED),
            (b"access-control-max-age", b"%d" % PREFLIGHT_S),
        ]
