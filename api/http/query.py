"""Query parameters, parsed strictly: the framework reads ``null`` as absent and ``1e1`` as 10.

A filter that is silently ignored would return everything.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from urllib.parse import parse_qsl
from uuid import UUID

from litestar.enums import ParamType
from litestar.handlers.base import BaseRouteHandler
from litestar.params import ParameterKwarg

from api.http.policy import NO_DRY_RUN, TOLERANT
from api.http.problem import FieldError, invalid, malformed, unknown

PARAMETERS_MAX = 50

NUMBER_MAX = 10**18 - 1
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})",
    re.IGNORECASE,
)

Complaint = str | None
Check = Callable[[str], Complaint]
"""Returns what is wrong with the text of a parameter, or None."""


def refuse_malformed_query(query: bytes, handler: BaseRouteHandler, *, reads: bool) -> None:
    """Refuse a query string with a parameter that is repeated, unknown or not of its type.

    :raises Problem: 422, or 400 if it is not a query string.
    """
    if not query:
        return
    try:
        pairs = parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=PARAMETERS_MAX,
            errors="strict",
        )
    except (UnicodeDecodeError, ValueError):
        raise malformed("The query string is malformed.") from None
    checks = _checks_of(handler, reads)
    if handler.opt.get(TOLERANT):
        pairs = [pair for pair in pairs if pair[0] in checks]
    names = [name for name, _ in pairs]
    errors = [
        FieldError(name, complaint)
        for name, text in pairs
        if (complaint := _complaint(names, checks, name, text)) is not None
    ]
    if errors:
        raise invalid(*dict.fromkeys(errors))


def _complaint(names: list[str], checks: dict[str, Check], name: str, text: str) -> Complaint:
    if names.count(name) > 1:
        return "The parameter is repeated"
    check = checks.get(name)
    if check is None:
        return unknown("parameter", name, checks)
    if "\0" in text:
        return "Text must not contain NUL characters"
    return check(text)


@lru_cache(512)
def _checks_of(handler: BaseRouteHandler, reads: bool) -> dict[str, Check]:
    """Return the check of each query parameter that a route accepts."""
    checks: dict[str, Check] = {}
    if not reads and not handler.opt.get(NO_DRY_RUN):
        checks["dry_run"] = _one_of(["true", "false"])
    for name, field in handler.parsed_fn_signature.parameters.items():
        definition = field.kwarg_definition
        if isinstance(definition, ParameterKwarg) and definition.param_type is not ParamType.PATH:
            check = _check_of(field.annotation)
            checks[definition.name or name] = _within(check, definition)
    return checks


def _check_of(annotation: Any) -> Check:
    """Return the check of the type of a parameter."""
    kind = _bare(annotation)
    if get_origin(kind) is Literal:
        return _one_of([str(value) for value in get_args(kind)])
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _one_of([str(member.value) for member in kind])
    checks: dict[Any, Check] = {
        int: _matching(_INTEGER, "Expected a whole number such as 5, of up to 18 digits"),
        UUID: _matching(_UUID, "Expected a UUID"),
        datetime: is_time,
        date: is_day,
        bool: _one_of(["true", "false"]),
        str: lambda text: None if text else "Expected a value",
    }
    return checks[kind]


def _within(check: Check, definition: ParameterKwarg) -> Check:
    """Return *check*, and one of the bounds of a number: the framework names it as in the code."""
    low, high = definition.ge, definition.le
    if low is None and high is None:
        return check

    def checked(text: str) -> Complaint:
        complaint = check(text)
        if complaint is None and low is not None and int(text) < low:
            return f"Expected at least {low:g}"
        if complaint is None and high is not None and int(text) > high:
            return f"Expected at most {high}"
        return complaint

    return checked


def _bare(annotation: Any) -> Any:
    """Return a type without its annotations and without None."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        (kind,) = (part for part in get_args(annotation) if part is not NoneType)
        return _bare(kind)
    return getattr(annotation, "__supertype__", annotation)


def _matching(pattern: re.Pattern[str], complaint: str) -> Check:
    return lambda text: None if pattern.fullmatch(text) else complaint


def _one_of(values: list[str]) -> Check:
    return lambda text: None if text in values else f"Expected {_either(values)}"


def _either(values: list[str]) -> str:
    return " or ".join([", ".join(values[:-1]), values[-1]]) if len(values) > 1 else values[0]


def is_time(text: str) -> Complaint:
    """Return None for a time as in RFC 3339, section 5.6, with its offset from UTC."""
    try:
        if _TIME.fullmatch(text):
            datetime.fromisoformat(text.upper())
            return None
    except ValueError:
        pass
    return "Expected a time with its offset from UTC, such as 2026-01-31T12:00:00Z"


def is_day(text: str) -> Complaint:
    """Return None for a full-date as in RFC 3339, section 5.6."""
    try:
        if _DAY.fullmatch(text):
            date.fromisoformat(text)
            return None
    except ValueError:
        pass
    return "Expected a day such as 2026-01-31"
