"""Generates the HTTP pages: openapi.json as served by the application, and a table of routes."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from tools.markdown import code, page, table

METHODS = ("get", "post", "put", "patch", "delete")

_INTRO = """\
Every route of the API, generated from its description [openapi.json](openapi.json). A running
server has the description at `/api/openapi.json` and an interactive page at `/api/docs`.

- JSON uses camelCase; times are RFC 3339 in UTC. Unknown and repeated members are refused.
- A command returns the new resource with `ETag` (its version) and, if it recorded something in
  the organization, `X-Position`; 204 has no body. Every response has `X-Request-Id`.
- `Idempotency-Key` on a command makes retries safe: the same key and request return the first
  response, the same key with another request returns 422. `If-Match` refuses the command with
  412 if a field that it sets has changed since that version. `?dry_run=true` returns the events
  that would be recorded and records nothing.
- A list returns `{"items": […], "nextCursor": …}`; `limit` is 1 to 100, by default 50.
- A GET of one resource shows its newest state. A list includes your own writes; `X-Min-Position`
  with somebody else's `X-Position` makes it wait for theirs, too. It is an opaque number of your
  organization: one from before the log was moved to another number of partitions, or set back to a
  backup, is not waited for.
- All error codes are in [errors](errors.md)."""


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
    """Return the page: a table per tag, a row per operation."""
    tags: dict[str, list[tuple[str, ...]]] = {}
    for path, method, operation in operations(description()):
        tag = (operation.get("tags") or ["Other"])[0]
        tags.setdefault(tag, []).append(_row(path, method, operation))
    header = ("request", "what it does", "permission", "body", "status")
    parts = [f"## {tag}\n\n{table(header, rows)}" for tag, rows in sorted(tags.items())]
    return page("HTTP", _INTRO, *parts)


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method and operation, sorted by path."""
    for path, item in sorted(schema["paths"].items()):
        yield from ((path, method, item[method]) for method in METHODS if method in item)


def _row(path: str, method: str, operation: dict[str, Any]) -> tuple[str, ...]:
    said = operation.get("description") or operation.get("summary") or ""
    answers = [status for status in operation.get("responses", {}) if status.startswith("2")]
    body = _shape(operation.get("requestBody", {}))
    who = _who(operation)
    return code(f"{method.upper()} {path}"), said, who, code(body), ", ".join(answers)


def _who(operation: dict[str, Any]) -> str:
    """Return the required permission, or who else may use the route."""
    needs = operation.get("x-needs")
    if needs is not None:
        return code(needs)
    return "every logged-in user" if operation.get("security") else "everybody"


def _shape(body: dict[str, Any]) -> str:
    """Return the schema name of a request body, if there is one."""
    for media in body.get("content", {}).values():
        reference: str = media.get("schema", {}).get("$ref", "")
        return reference.rpartition("/")[2]
    return ""
