"""Maps exceptions to problems."""

import logging
import re
from typing import Any

from litestar.exceptions import HTTPException, ValidationException

from api.http.problem import PROBLEM_JSON, FieldError, Problem, invalid, malformed, not_found
from api.http.response import ApiResponse
from api.upload import TooManyUploads, UploadCutOff, UploadNotAsLong, UploadTooSlow
from audit.tree_signer import LogTampered
from domain.base import DomainError, NotFound, Refusal
from eventstore.append import ConcurrencyConflict, TooManyWaiting
from eventstore.mode import LogClosed, LogMode
from files.store import FileMissing, FilesUnavailable
from projections.engine.store import Rebuilding
from runtime.outages import StoreOutage
from security.passwords import HashingBusy

_CLOSED_RETRY_S = 60
_MISSING = re.compile("Missing required query parameter '([^']+)'")
"""How the framework refuses a request without one."""
_logger = logging.getLogger("api")

STATUS: dict[Refusal, int] = {
    Refusal.UNAUTHENTICATED: 401,
    Refusal.OVER_LIMIT: 402,
    Refusal.FORBIDDEN: 403,
    Refusal.NOT_FOUND: 404,
    Refusal.CONFLICT: 409,
    Refusal.STALE: 412,
    Refusal.INVALID: 422,
}
"""The HTTP status of each kind of refusal."""


def answer_error(request_id: str, error: Exception) -> ApiResponse:
    """Return the response to a request that failed with *error*."""
    problem = as_problem(error)
    if problem is None:
        _logger.error("request %s failed", request_id, exc_info=error)
        detail = "Something went wrong on our side. Quote the `requestId` when you report it."
        problem = Problem(500, "internal_error", detail)
    return ApiResponse(
        problem.body(request_id),
        problem.status,
        content_type=PROBLEM_JSON.encode(),
        headers=[(name.encode(), value.encode()) for name, value in problem.headers.items()],
    )


def as_problem(error: Exception) -> Problem | None:  # noqa: PLR0911 - one return per kind of error
    """Return the problem that describes *error* to a client, or None if it is a bug of ours."""
    match error:
        case Problem():
            return error
        case NotFound():
            return not_found()
        case DomainError():
            return _of_rule(error)
        case ConcurrencyConflict() | TooManyWaiting():
            return _of_append(error)
        case LogClosed() | LogTampered():
            return _closed(error)
        case HashingBusy():
            detail = "Too many people are logging in. Try again in a moment."
            return _unavailable("busy", detail, error.retry_after_s)
        case HTTPException():
            return _of_framework(error)
        case Rebuilding():
            return Problem(
                503,
                "rebuilding",
                "The lists are being rebuilt from the log. Your changes are recorded meanwhile.",
                details={"progress": round(error.progress, 3)},
                headers={"retry-after": "2"},
            )
        case _ if isinstance(error, (*StoreOutage, FilesUnavailable)):
            _logger.warning("a store does not answer: %s", error)
            return _unavailable("unavailable", "A store does not answer. Try again in a moment.", 2)
        case _:
            return _of_file(error)


def _of_rule(error: DomainError) -> Problem:
    status = STATUS[error.refusal]
    headers = {"www-authenticate": "Bearer"} if status == 401 else {}
    return Problem(status, error.code, str(error), details=error.details, headers=headers)


def _of_append(error: ConcurrencyConflict | TooManyWaiting) -> Problem:
    headers = {"retry-after": "1"}
    if isinstance(error, TooManyWaiting):
        detail = "Your organization sends more commands than can be recorded. Try again."
        return Problem(429, "rate_limited", detail, headers=headers)
    detail = "Someone else changed the same resource at the same time. Try again."
    return Problem(409, "conflict", detail, headers=headers)


def _closed(error: LogClosed | LogTampered) -> Problem:
    if isinstance(error, LogTampered):
        _logger.error("a log contradicts what was signed: %s", error)
        detail = (
            "The log of your organization is not what was signed before, so nothing is proven."
            " The operator learns more from `trackrecord doctor --deep`."
        )
        return _unavailable("log_contradicted", detail, _CLOSED_RETRY_S)
    if error.mode in (LogMode.CONTRADICTED, LogMode.ACCEPTING):
        detail = (
            "The log was set back to a backup, and its operator has not accepted that yet"
            " (`trackrecord accept-restore`). Nothing can be changed until then. Reading works."
        )
        return _unavailable("log_contradicted", detail, _CLOSED_RETRY_S)
    detail = "Nothing can be changed at the moment. Reading works. Try again later."
    return _unavailable("read_only", detail, _CLOSED_RETRY_S)


def _of_file(error: Exception) -> Problem | None:
    match error:
        case UploadTooSlow():
            return Problem(408, "request_timeout", "The body did not arrive in time.")
        case UploadNotAsLong():
            return malformed("The body is not as long as Content-Length promised.")
        case UploadCutOff():  # nobody reads this
            return malformed("The connection ended before the body.")
        case TooManyUploads():
            return _unavailable("busy", "Too many uploads are in progress. Try again.", 5)
        case FileMissing():
            _logger.error("a file is not in its store: %s", error)
            return _unavailable("file_missing", "The contents of this file cannot be read.", 60)
        case _:
            return None


def _unavailable(code: str, detail: str, retry_after_s: int) -> Problem:
    return Problem(503, code, detail, headers={"retry-after": str(retry_after_s)})


def _of_framework(error: HTTPException) -> Problem | None:
    if isinstance(error, ValidationException):
        return invalid(*_places(error))
    match error.status_code:
        case 400:
            return malformed("The request is malformed.")
        case 404:
            return not_found()
        case 405:
            detail = "This resource does not support this method. See `Allow`."
            return Problem(405, "method_not_allowed", detail)
        case _:
            return None


def _places(error: ValidationException) -> list[FieldError]:
    extra: Any = error.extra or []
    places: list[FieldError] = []
    for message in extra if isinstance(extra, list) else []:  # pyright: ignore[reportUnknownVariableType]  # Litestar types extra as Any
        if isinstance(message, dict):
            key = str(message.get("key", ""))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  # Litestar types extra as Any
            text = str(message.get("message", ""))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  # Litestar types extra as Any
            places.append(FieldError("$" if key == "data" else key, text))
    return places or [_missing(error.detail)]


def _missing(detail: str) -> FieldError:
    found = _MISSING.match(detail)
    return (
        FieldError(found[1], "This parameter is needed") if found else FieldError("query", detail)
    )
