"""Problems: every answer that is not a success, as RFC 9457 (problem+json) has it."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

PROBLEM_JSON = "application/problem+json"
_encode = msgspec.json.Encoder().encode


class FieldError(Struct, frozen=True):
    """What is wrong with one part of a request: ``$.title`` in the body, or a parameter's name."""

    path: str
    message: str


class Problem(Exception):
    """The request cannot be done; *code* is for programs, *detail* for people."""

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

    def body(self, request_id: str) -> bytes:
        """Return the problem as JSON, naming the request that it answers."""
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
        return _encode({**said, **{camel(name): fact for name, fact in self.details.items()}})


def invalid(*errors: FieldError) -> Problem:
    """Return the problem of a request that names unknown or unfit values."""
    return Problem(422, "invalid_request", "The request has invalid values.", errors=errors)


def malformed(detail: str) -> Problem:
    """Return the problem of a request that cannot even be read."""
    return Problem(400, "malformed_request", detail)


def not_found() -> Problem:
    """Return the one answer for what is missing, deleted or another organization's."""
    detail = "This resource does not exist, or you do not have access to it."
    return Problem(404, "not_found", detail)


def unauthorized(code: str = "unauthorized") -> Problem:
    """Return the one answer to whoever did not prove to be somebody.

    Only ``token_expired`` is told apart, by its code: a client renews its token on that.
    """
    return Problem(
        401,
        code,
        "Authenticate with a valid access token.",
        headers={"www-authenticate": "Bearer"},
    )


def camel(name: str) -> str:
    """Return a name as the API spells it."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
