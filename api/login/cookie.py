"""The cookies, and which origins may send them (RFC 6265bis)."""

from datetime import timedelta

from api.http.problem import Problem
from api.http.request import ApiRequest

ATTEMPT_NAME_CHARS = 12
"""Characters of a state that tell the logins of one browser apart."""


class SecretCookie:
    """Sets and reads a cookie; ``__Host-`` binds it to this host, HTTPS and all paths."""

    def __init__(
        self, name: str, *, secure: bool, lifetime: timedelta, same_site: str = "Strict"
    ) -> None:
        self.name = f"__Host-{name}" if secure else name
        self._lifetime_s = int(lifetime.total_seconds())
        self._flags = f"; HttpOnly; SameSite={same_site}" + ("; Secure" if secure else "")

    def set(self, token: str) -> tuple[bytes, bytes]:
        """Return the header that sets the cookie."""
        return self._header(token, self._lifetime_s)

    def clear(self) -> tuple[bytes, bytes]:
        """Return the header that deletes the cookie."""
        return self._header("", 0)

    def read(self, request: ApiRequest) -> str | None:
        """Return the value in a request; None if there is not exactly one."""
        header = request.client_info.header(b"cookie") or ""
        pairs = [pair.strip().partition("=") for pair in header.split(";")]
        values = [value for name, _, value in pairs if name == self.name]
        return values[0] if len(values) == 1 else None

    def _header(self, value: str, max_age_s: int) -> tuple[bytes, bytes]:
        cookie = f"{self.name}={value}; Path=/; Max-Age={max_age_s}{self._flags}"
        return b"set-cookie", cookie.encode()


def refresh_cookie(*, secure: bool, lifetime: timedelta) -> SecretCookie:
    """Return the cookie with the refresh token."""
    return SecretCookie("rt", secure=secure, lifetime=lifetime)


def device_cookie(*, secure: bool, lifetime: timedelta) -> SecretCookie:
    """Return the cookie of a known device."""
    return SecretCookie("kd", secure=secure, lifetime=lifetime)


def attempt_cookie(state: str, *, secure: bool, lifetime: timedelta) -> SecretCookie:
    """Return the cookie of one login through a provider, of which a browser may begin several.

    Lax, because the browser comes back from the provider's site.
    """
    name = f"sso-{state[:ATTEMPT_NAME_CHARS]}"
    return SecretCookie(name, secure=secure, lifetime=lifetime, same_site="Lax")


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
