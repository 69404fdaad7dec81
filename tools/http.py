"""The pages of the HTTP API: openapi.json as the application serves it, and a table of routes."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from tools.markdown import code, page, table

METHODS = ("get", "post", "put", "patch", "delete")

_INTRO = """\
Every route of the API, from its own description: [openapi.json](openapi.json), which a running
server gives under `/api/openapi.json` and as an interactive page under `/api/docs`.

- JSON in camelCase; times are RFC 3339 in UTC. An unknown or repeated member is refused.
- A command answers the new resource with `ETag` (its version) and `X-Position` (its place in the
  log); 204 has no body. Every answer carries `X-Request-Id`.
- `Idempotency-Key` on a command: the same key and request get the stored reply, the same key with
  another request 422. `If-Match` refuses with 412 if a field that is set was changed since.
  `?dry_run=true` answers what would be recorded, and records nothing.
- A list answers `{"items": […], "nextCursor": …}`; `limit` is 1 to 100, 50 if not said.
- Readers see their own writes; `X-Min-Position` asks for somebody else's too.
- What an error says is in [errors](errors.md)."""


@cache
def description() -> dict[str, Any]:
    """Return the OpenAPI description of the application."""
    from api.app import ROUTES  # noqa: PLC0415 - the other pages need no HTTP
    from api.http.openapi import describe  # noqa: PLC0415 - takes a second, and other pages do not need it

    return describe(ROUTES)


def openapi_json() -> str:
    """Return the API's description, indented and sorted so that changes are small."""
    return json.dumps(description(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def http_page() -> str:
    """Return the page: a table a tag, a row an operation."""
    tags: dict[str, list[tuple[str, ...]]] = {}
    for path, method, operation in operations(description()):
        tag = (operation.get("tags") or ["Other"])[0]
        tags.setdefault(tag, []).append(_row(path, method, operation))
    header = ("request", "what it does", "who", "body", "answers")
    parts = [f"## {tag}\n\n{table(header, rows)}" for tag, rows in sorted(tags.items())]
    return page("HTTP", _INTRO, *parts)


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method and operation, in the order of paths."""
    for path, item in sorted(schema["paths"].items()):
        yield from ((path, method, item[method]) for method in METHODS if method in item)


def _row(path: str, method: str, operation: dict[str, Any]) -> tuple[str, ...]:
    said = operation.get("description") or operation.get("summary") or ""
    answers = [status for status in operation.get("responses", {}) if status.startswith("2")]
    body = _shape(operation.get("requestBody", {}))
    who = _who(operation)
    return code(f"{method.upper()} {path}"), said, who, code(body), ", ".join(answers)


def _who(operation: dict[str, Any]) -> str:
    """Return the permission that is needed, or who else may ask."""
    needs = operation.get("x-needs")
    if needs is not None:
        return code(needs)
    return "whoever is logged in" if operation.get("security") else "everybody"


def _shape(body: dict[str, Any]) -> str:
    """Return the name of the schema that a request body has, if it has one."""
    for media in body.get("content", {}).values():
        reference: str = media.get("schema", {}).get("$ref", "")
        return reference.rpartition("/")[2]
    return ""
