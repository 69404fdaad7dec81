"""The refresh cookie, and which origins may send it (RFC 6265bis)."""

from datetime import timedelta

from api.http.problem import Problem
from api.http.request import ApiRequest


class RefreshCookie:
    """Sets and reads the cookie; ``__Host-`` binds it to this host, HTTPS and all paths."""

    def __init__(self, *, secure: bool, lifetime: timedelta) -> None:
        self.name = "__Host-rt" if secure else "rt"
        self._lifetime_s = int(lifetime.total_seconds())
        self._flags = "; HttpOnly; SameSite=Strict" + ("; Secure" if secure else "")

    def set(self, token: str) -> tuple[bytes, bytes]:
        """Return the header that sets the cookie."""
        return self._header(token, self._lifetime_s)

    def clear(self) -> tuple[bytes, bytes]:
        """Return the header that deletes the cookie."""
        return self._header("", 0)

    def read(self, request: ApiRequest) -> str | None:
        """Return the refresh token of a request; None if there is not exactly one."""
        header = request.client_info.header(b"cookie") or ""
        pairs = [pair.strip().partition("=") for pair in header.split(";")]
        values = [value for name, _, value in pairs if name == self.name]
        return values[0] if len(values) == 1 else None

    def _header(self, value: str, max_age_s: int) -> tuple[bytes, bytes]:
        cookie = f"{self.name}={value}; Path=/; Max-Age={max_age_s}{self._flags}"
        return b"set-cookie", cookie.encode()


def refuse_foreign_origin(request: ApiRequest) -> None:
    """Refuse a request that a page of another origin made a browser send.

    Clients that are not browsers send neither header, nor a cookie that they do not have.

    :raises Problem: 403.
    """
    origin = request.client_info.header(b"origin")
    site = request.client_info.header(b"sec-fetch-site")
    if site in ("same-origin", "none") or (origin is None and site is None):
        return
    if origin not in request.api.system.settings.cors_origins:
        detail = "Pages of this origin may not use the refresh cookie."
        raise Problem(403, "origin_not_allowed", detail)
