"""The OpenAPI 3.1 description: what Litestar derives from the routes, completed."""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any, get_args

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.types import ControllerRouterHandler

from api.http.policy import POLICY, Open, handlers_of
from api.http.problem import PROBLEM_JSON
from api.http.request import ApiRequest

Json = dict[str, Any]

_PROBLEM: Json = {
    "title": "Problem",
    "type": "object",
    "description": "Why a request failed (RFC 9457); some codes add members of their own.",
    "required": ["type", "title", "status", "detail", "code", "requestId"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "requestId": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "message"],
                "properties": {"path": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def _parameter(place: str, name: str, kind: str, meaning: str) -> Json:
    return {
        "in": place,
        "name": name,
        "required": False,
        "description": meaning,
        "schema": {"type": kind},
    }


_ON_COMMANDS = {
    "DryRun": _parameter(
        "query", "dry_run", "boolean", "Only return the events that would be recorded"
    ),
    "IdempotencyKey": _parameter(
        "header", "Idempotency-Key", "string", "The same key and request return the same response"
    ),
    "IfMatch": _parameter(
        "header", "If-Match", "string", "Fail if a field in the body has changed since this version"
    ),
}
_ON_QUERIES = {
    "MinPosition": _parameter(
        "header", "X-Min-Position", "integer", "Wait for the change that returned this X-Position"
    ),
}


def describe(routes: list[ControllerRouterHandler]) -> Json:
    """Return the OpenAPI description of *routes*."""
    # A separate application: the one that serves has only our routes.
    app = Litestar(
        routes,
        openapi_config=OpenAPIConfig(
            title="Trackrecord",
            version=_version(),
            path="/description",
            use_handler_docstrings=True,
        ),
        request_class=ApiRequest,
        logging_config=None,
    )
    described = _with_plain_names(app.openapi_schema.to_schema())
    handlers = {(path, method): handler for path, method, handler in handlers_of(app)}
    for path, method, operation in _operations(described):
        _complete(operation, method, handlers[path, method])
    components = described["components"]
    components["schemas"]["Problem"] = _PROBLEM
    components["parameters"] = {**_ON_COMMANDS, **_ON_QUERIES}
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    _close(described, handlers.values())
    return described


def _with_plain_names(described: Json) -> Json:
    """Name a page after what is on it: Litestar writes ``Page_api.audit.EventView_``."""
    text = msgspec.json.encode(described).decode()
    text = re.sub(r"\bPage_(?:\w+\.)*(\w+)_(?=\")", r"\1Page", text)
    text = re.sub(r'"Page\[(\w+)\]"', r'"\1Page"', text)
    plain: Json = msgspec.json.decode(text)
    return plain


def _version() -> str:
    try:
        return version("trackrecord")
    except PackageNotFoundError:  # run from a checkout
        return "0"


def _operations(described: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in described["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield path, method.upper(), operation


def _complete(operation: Json, method: str, handler: HTTPRouteHandler) -> None:
    policy = handler.opt.get(POLICY)
    operation["summary"] = _first_sentence(operation.get("description", ""))
    operation["security"] = [] if policy is Open.PUBLIC else [{"bearer": []}]
    if not isinstance(policy, Open):
        operation["x-needs"] = policy
    answers = operation["responses"]
    if "204" in answers:
        answers.pop("200", None)
    answers.pop("400", None)
    answers["default"] = {
        "description": "The request failed",
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    common = _ON_QUERIES if method == "GET" else _ON_COMMANDS
    if policy is not Open.PUBLIC:
        references = [{"$ref": f"#/components/parameters/{name}"} for name in common]
        operation["parameters"] = [*operation.get("parameters", []), *references]


def _first_sentence(text: str) -> str:
    return re.split(r"[.;:]", text, maxsplit=1)[0]


def _close(described: Json, handlers: Any) -> None:
    """Add what Litestar leaves out for request bodies: unknown fields are refused."""
    schemas = described["components"]["schemas"]
    pending: list[Any] = [
        field.annotation for h in handlers if (field := h.parsed_data_field) is not None
    ]
    closed: set[Any] = set()
    while pending:
        kind: Any = pending.pop()
        if kind in closed:
            continue
        closed.add(kind)
        if hasattr(kind, "__struct_config__"):
            schemas[kind.__name__]["additionalProperties"] = False
            pending += [field.type for field in msgspec.structs.fields(kind)]
        else:
            pending += get_args(kind)
