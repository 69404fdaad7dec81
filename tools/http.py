"""Generates the HTTP pages: openapi.json as served by the application, and a table of routes."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from tools.markdown import code, page, table

METHODS = ("get", "post", "put", "patch", "delete")

_Operation = tuple[str, str, dict[str, Any]]
_ANYWHERE = {400, 408, 413, 414, 415, 429, 431, 500, 503}
_SHARED = {
    *("unauthorized", "token_expired", "session_is_over", "account_deactivated"),
    *("membership_suspended", "not_permitted", "no_organization", "conflict", "changed_since"),
    *("invalid_request", "idempotency_key_reused"),
    *("api_key_expired", "api_key_revoked", "api_key_without_owner", "network_not_allowed"),
    *("scope_missing", "not_for_api_keys"),
}
"""Codes that nearly every route can answer, which the introduction names."""

_INTRO = """\
Every route of the API, generated from its description [openapi.json](openapi.json). A running
server has the description at `/api/openapi.json` and an interactive page at `/api/docs`.

- JSON uses camelCase; times are RFC 3339 in UTC. Unknown and repeated members are refused.
- A command returns the new resource with `ETag` (its version) and, if it recorded something in
  the organization, `X-Position`; 204 has no body. Every response has `X-Request-Id`.
- `Idempotency-Key` on a command makes retries safe: the same key and request return the first
  response for 72 hours (its secrets for 10 minutes), afterwards 409 `already_done`; the same key
  with another request returns 422. Routes that do not list the header ignore it, such as reads,
  pings and redeliveries. `If-Match` refuses the command with 412 if a field that it sets has
  changed since that version. `?dry_run=true` returns the events that would be recorded and records
  nothing.
- A list returns `{"items": […], "nextCursor": …}`; `limit` is 1 to 100, by default 50. A
  page of tasks, of a search or of an inbox that has a `nextCursor` is full, unless to fill it took
  more than 2 s. A list that has no `limit` is short, and comes whole.
- A GET of one resource shows its newest state. A list shows whatever your organization had recorded
  when you asked. `X-Position` of a command, sent as `X-Min-Position`, makes a list wait for that
  command. It is an opaque number of your organization: one from before the log was moved to another
  number of partitions, or set back to a backup, is not waited for.
- `RateLimit-Policy` and `RateLimit` are in every response to a request that was counted against a
  limit, refused or not; they name the first limit, or the one that is exceeded. Requests of a
  logged-in user are counted, and attempts to log in, register, refresh, reset a password or use an
  invitation. Not counted are health, metrics, documents such as this description, unknown paths,
  requests without a valid token where one is needed, and logins whose body is malformed.
- All error codes are in [errors](errors.md). Below, each route names those of its own. Any route
  can answer 400, 408, 413, 414, 415, 422 `invalid_request`, 429, 431, 500 and 503; those that need
  a login also 401, 403 and 409 `no_organization`; commands also 409 `conflict`, 412 and 422
  `idempotency_key_reused`. The OpenAPI description lists all of them, with an example of each
  operation that a test has recorded."""


@cache
def description() -> dict[str, Any]:
    """Return the OpenAPI description of the application."""
    from api.app import ROUTES  # noqa: PLC0415 - the other pages need no HTTP
    from api.description.openapi import describe  # noqa: PLC0415 - takes a second, and other pages do not need it

    return describe(ROUTES)


def openapi_json() -> str:
    """Return the API's description, indented and sorted so that changes are small."""
    return json.dumps(description(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def http_page() -> str:
    """Return the page: a table of all operations by tag, then the details of each."""
    tags: dict[str, list[_Operation]] = {}
    for path, method, operation in operations(description()):
        tag = (operation.get("tags") or ["Other"])[0]
        tags.setdefault(tag, []).append((path, method, operation))
    header = ("request", "what it does", "permission", "status")
    parts: list[str] = []
    for tag, found in sorted(tags.items()):
        parts.append(f"## {tag}\n\n{table(header, [_row(*each) for each in found])}")
        parts += [_details(*each) for each in found]
    return page("HTTP", _INTRO, *parts)


def _details(path: str, method: str, operation: dict[str, Any]) -> str:
    """Return what a caller needs to know about an operation beside its row."""
    lines = [f"### {code(operation['operationId'])}\n\n{code(f'{method.upper()} {path}')}\n"]
    parameters = [_followed(each) for each in operation.get("parameters", [])]
    for place, title in (("query", "Query"), ("header", "Headers")):
        own = [each for each in parameters if each["in"] == place]
        if own:
            lines.append(f"- {title}: " + ", ".join(_parameter(each) for each in own))
    schema = _body_schema(operation.get("requestBody", {}))
    if schema.get("format") == "binary":
        lines.append("- Body: the file")
    elif schema:
        needed = schema.get("required", [])
        fields = schema.get("properties", {})
        lines.append("- Body: " + ", ".join(_field(n, f, n in needed) for n, f in fields.items()))
    lines.append(f"- Errors: {_errors(operation)}")
    return "\n".join(lines)


def _parameter(parameter: dict[str, Any]) -> str:
    return f"{code(parameter['name'])} ({_kind(parameter['schema'])})"


def _field(name: str, schema: dict[str, Any], needed: bool) -> str:
    return f"{code(name)} ({_kind(schema)}{', required' if needed else ''})"


def _kind(schema: dict[str, Any]) -> str:
    """Return the type of a value in a few words."""
    followed = _followed(schema)
    if "enum" in followed:
        return " or ".join(code(str(value)) for value in followed["enum"])
    choices = followed.get("anyOf") or followed.get("oneOf")
    if choices:
        return " or ".join(dict.fromkeys(_kind(each) for each in choices))
    if followed.get("type") == "array":
        return f"list of {_kind(followed['items'])}"
    bounds = [
        f"{word} {followed[key]}"
        for key, word in (
            ("minLength", "of at least"),
            ("maxLength", "of at most"),
            ("minimum", "from"),
            ("maximum", "to"),
        )
        if key in followed
    ]
    return " ".join([str(followed.get("format") or followed.get("type", "any")), *bounds])


def _errors(operation: dict[str, Any]) -> str:
    """Return the codes by status, without those that every route can answer."""
    found: list[str] = []
    for status, response in sorted(operation["responses"].items()):
        if status[0] not in "45" or int(status) in _ANYWHERE:
            continue
        _, _, name = response["$ref"].rpartition("/")
        codes = [each for each in name.split(".")[1:] if each not in _SHARED]
        found += [f"{status} " + ", ".join(map(code, codes))] if codes else []
    return "; ".join(found) or "none of its own"


def _followed(part: dict[str, Any]) -> dict[str, Any]:
    """Return *part*, or what it refers to."""
    place = part.get("$ref")
    if place is None:
        return part
    found: Any = description()
    for name in place.removeprefix("#/").split("/"):
        found = found[name]
    return dict(found)


def _body_schema(body: dict[str, Any]) -> dict[str, Any]:
    for media in body.get("content", {}).values():
        return _followed(media.get("schema", {}))
    return {}


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method and operation, sorted by path."""
    for path, item in sorted(schema["paths"].items()):
        yield from ((path, method, item[method]) for method in METHODS if method in item)


def _row(path: str, method: str, operation: dict[str, Any]) -> tuple[str, ...]:
    said = operation.get("description") or operation.get("summary") or ""
    answers = [status for status in operation.get("responses", {}) if status.startswith("2")]
    return code(f"{method.upper()} {path}"), said, _who(operation), ", ".join(answers)


def _who(operation: dict[str, Any]) -> str:
    """Return the required permission, or who else may use the route."""
    needs = operation.get("x-needs")
    if needs is not None:
        return code(needs)
    if {"refreshCookie": []} in operation.get("security", []):
        return "whoever has the refresh cookie"
    return "every logged-in user" if operation.get("security") else "everybody"
