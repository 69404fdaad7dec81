"""Problems: error responses as RFC 9457 (application/problem+json)."""

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct

PROBLEM_JSON = "application/problem+json"
_RETRY_AFTER_S = 2
"""When to try again if nothing better is known."""

_PHRASES = {413: "Content Too Large", 414: "URI Too Long", 422: "Unprocessable Content"}
"""Names of RFC 9110, section 15; Python has older ones before its version 3.13."""

_NAME_CHARS_MAX = 64
"""Longer than any name of ours, and short enough to be compared with each of them."""

_encode = msgspec.json.Encoder().encode


class FieldError(Struct, frozen=True):
    """An error in one part of a request: ``$.title`` in the body, or the name of a parameter."""

    path: str
    message: str


class Problem(Exception):
    """A request failed; *code* is for programs, *detail* for people."""

    def __init__(  # noqa: PLR0913 - the parts of a problem
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.errors, self.details, self.headers = tuple(errors), details or {}, dict(headers or {})
        if status == 503:
            self.headers.setdefault("retry-after", str(_RETRY_AFTER_S))

    def body(self, request_id: str) -> bytes:
        """Return the problem as JSON, with the id of the request."""
        said: dict[str, Any] = {
            "type": f"urn:trackrecord:problem:{self.code}",
            "title": self.code.replace("_", " ").capitalize(),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "requestId": request_id,
        }
        if self.errors:
            said["errors"] = self.errors
        details = {camel(name): value for name, value in self.details.items()}
        return _encode({**said, **details}) + b"\n"


def unknown(what: str, name: str, known: Collection[str]) -> str:
    """Return what to say to a field or parameter called *name*, where there are those *known*."""
    alike = get_close_matches(name, known, n=1) if len(name) <= _NAME_CHARS_MAX else []
    if alike:
        return f"Unknown {what}. Did you mean `{alike[0]}`?"
    if known:
        return f"Unknown {what}. Here you can use {', '.join(f'`{each}`' for each in known)}"
    return f"Unknown {what}"


def phrase_of(status: int) -> str:
    """Return the name of a status, the same on every version of Python."""
    return _PHRASES.get(status) or HTTPStatus(status).phrase


def invalid(*errors: FieldError) -> Problem:
    """Return the problem of a request with invalid values."""
    detail = "The request has invalid values. See `errors`."
    return Problem(422, "invalid_request", detail, errors=errors)


def malformed(detail: str) -> Problem:
    """Return the problem of a request that cannot be parsed."""
    return Problem(400, "malformed_request", detail)


def not_found() -> Problem:
    """Return the one problem for what is missing, deleted or another organization's."""
    detail = "This resource does not exist, or you do not have access to it."
    return Problem(404, "not_found", detail)


def unauthorized(code: str = "unauthorized") -> Problem:
    """Return the one problem for requests without valid authentication.

    Only ``token_expired`` has a code of its own, because clients then renew their token.
    """
    return Problem(
        401,
        code,
        "Send a valid access token, or an API key, in the Authorization header.",
        headers={"www-authenticate": "Bearer"},
    )


def camel(name: str) -> str:
    """Return *name* in camel case, as the API spells it."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
