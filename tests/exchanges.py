"""Every exchange of a test with the API is checked against the OpenAPI description.

A fixture of the session hooks this into httpx, so that no test has to ask for it. What the API
answers must always be described; what it accepts (2xx) must be as described.
"""

import json
import re
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import httpx
import jsonschema_rs

from tests.recorder import RECORDER
from tools.http import description

Json = dict[str, Any]

_GENERAL = {
    *("content-type", "content-length", "cache-control", "content-security-policy", "vary", "date"),
    *("strict-transport-security", "x-content-type-options", "referrer-policy", "connection"),
    *("cross-origin-resource-policy", "transfer-encoding", "server"),
}
"""Header fields that any response may have and no client needs from the description."""

_PLACES = re.compile(r"/(api|health|metrics|\.well-known)(/|$)")
_UNDESCRIBED = re.compile(r"/api/(openapi\.json|docs(/.*)?)")


FAILURES_SEEN: set[tuple[str, str]] = set()
"""Each operation and code of a problem that it answered in this run of the tests."""


class NotAsDescribed(AssertionError):
    """An exchange differs from the OpenAPI description; the text says where to change what."""


class _Operation(NamedTuple):
    name: str
    pattern: re.Pattern[str]
    method: str
    item: Json


@cache
def _operations() -> list[_Operation]:
    found: list[_Operation] = []
    for path, item in description()["paths"].items():
        pattern = re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path)))
        found += [
            _Operation(f"{method.upper()} {path}", pattern, method.upper(), operation)
            for method, operation in item.items()
            if method != "parameters"
        ]
    return sorted(found, key=lambda each: each.name.count("{"))


@cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    whole = {**json.loads(schema), "components": description()["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def _followed(part: Json) -> Json:
    place = part.get("$ref")
    if place is None:
        return part
    found: Any = description()
    for name in place.removeprefix("#/").split("/"):
        found = found[name]
    return dict(found)


def check(request: httpx.Request, response: httpx.Response) -> None:
    """Check one exchange; exchanges with other servers, and the documentation page, pass.

    :raises NotAsDescribed: it differs from the description.
    """
    path = request.url.path.rstrip("/")
    if not _PLACES.match(path) or _UNDESCRIBED.fullmatch(path) or request.method == "OPTIONS":
        return
    operation = _operation_of(request.method, path)
    if operation is None:
        if response.status_code < 400:
            raise NotAsDescribed(
                f"{request.method} {path} is not in the description: add its controller to ROUTES"
                " in api/app.py, without include_in_schema=False."
            )
        return
    answer = operation.item["responses"].get(str(response.status_code))
    if answer is None:
        _fail(
            operation,
            f"answered {response.status_code} {_code(response)}, which is not described",
            "declare it beside the route: the status in `responses=shows(…)`, a failure in"
            " `fails=(…,)` of its policy (class of the error, or (status, code)); what many routes"
            " share is in api/description/failures.py",
        )
        return
    _check_answer(operation, _followed(answer), request, response)
    if code := _code(response):
        FAILURES_SEEN.add((operation.name, code))
    if response.is_success:
        _check_request(operation, request, path)
    if response.is_success or response.status_code in (302, 303):
        RECORDER.note(operation.name, request, response)


def _operation_of(method: str, path: str) -> _Operation | None:
    method = "GET" if method == "HEAD" else method
    for operation in _operations():
        if operation.method == method and operation.pattern.fullmatch(path):
            return operation
    return None


def _check_answer(
    operation: _Operation, answer: Json, request: httpx.Request, response: httpx.Response
) -> None:
    headers = {name.lower(): _followed(value) for name, value in answer.get("headers", {}).items()}
    for name, value in response.headers.multi_items():
        if name in _GENERAL or name.startswith("access-control-"):
            continue
        if name not in headers:
            _fail(
                operation,
                f"answered {response.status_code} with {name}, which is not described",
                "name it in `sends=(…,)` of the route's policy, or in api/description/headers.py",
            )
        _valid(operation, headers[name]["schema"], value, f"the header {name}")
    missing = [
        name for name in headers if headers[name]["required"] and name not in response.headers
    ]
    if missing:
        _fail(operation, f"answered {response.status_code} without {missing}", "send the header")
    content = answer.get("content", {})
    kind = response.headers.get("content-type", "").partition(";")[0]
    if not content or request.method == "HEAD":
        if response.content:
            _fail(
                operation, f"answered {response.status_code} with content", "describe the content"
            )
        return
    if kind not in content and "application/octet-stream" not in content:
        _fail(
            operation,
            f"answered {response.status_code} as {kind!r} and not as {list(content)}",
            "declare the content with `responses=shows(…)` or `shows_file(…)`",
        )
    if kind.endswith("json") and kind in content:
        _valid(operation, content[kind]["schema"], response.json(), f"{response.status_code}")


def _check_request(operation: _Operation, request: httpx.Request, path: str) -> None:
    match = operation.pattern.fullmatch(path)
    given = {
        "path": {} if match is None else match.groupdict(),
        "query": dict(parse_qsl(request.url.query.decode(), keep_blank_values=True)),
        "header": dict(request.headers),
    }
    known: dict[str, set[str]] = {"path": set(), "query": set()}
    for parameter in map(_followed, operation.item.get("parameters", [])):
        name, place = parameter["name"], parameter["in"]
        known.setdefault(place, set()).add(name)
        value = given[place].get(name.lower() if place == "header" else name)
        if value is not None:
            value = _typed(value, _followed(parameter["schema"]).get("type"))
            _valid(operation, parameter["schema"], value, f"the parameter {name}")
    unknown = set(given["query"]) - known["query"]
    if unknown:
        _fail(operation, f"accepted the parameters {unknown}", "declare them on the route")
    content = operation.item.get("requestBody", {}).get("content", {})
    if "application/json" in content and _has_content(request):
        schema = content["application/json"]["schema"]
        _valid(operation, schema, json.loads(request.content), "the accepted body")


def _has_content(request: httpx.Request) -> bool:
    try:
        return bool(request.content)
    except httpx.RequestNotRead:  # it was sent as a stream
        return False


def _typed(text: str, kind: str | None) -> Any:
    return json.loads(text) if kind in ("integer", "boolean") else text


def _valid(operation: _Operation, schema: Json, value: Any, what: str) -> None:
    validator = _validator(json.dumps(schema, sort_keys=True))
    if validator.is_valid(value):
        return
    errors = [
        f"{'/'.join(map(str, e.instance_path))}: {e.message}" for e in validator.iter_errors(value)
    ]
    hint = "declare the failure in `fails=(…,)` of the route's policy, or change the type it shows"
    _fail(operation, f"{what} is not as described: {'; '.join(errors)[:1500]}", hint)


def _code(response: httpx.Response) -> str:
    kind = response.headers.get("content-type", "")
    if not kind.startswith("application/problem") or not response.content:
        return ""  # a HEAD has no content
    return str(response.json().get("code", ""))


def _fail(operation: _Operation, fault: str, hint: str) -> None:
    raise NotAsDescribed(
        f"{operation.name} ({operation.item['operationId']}): {fault}.\n"
        f"Either the server or the OpenAPI description is wrong. To describe it: {hint}."
    )
