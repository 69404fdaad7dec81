"""The OpenAPI 3.1 description: what Litestar derives from the routes, completed."""

import re
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from inspect import cleandoc

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.types import ControllerRouterHandler

from api.description.examples import recorded_examples, show_example
from api.description.failures import failures_of, problem_response
from api.description.headers import HEADERS, Json, failure_headers, success_headers, with_headers
from api.description.links import link_what_is_created
from api.description.names import operation_id
from api.description.parameters import (
    DRY_RUN,
    ON_COMMANDS,
    ON_FILES,
    ON_QUERIES,
    ON_STREAMS,
    ON_UNCHANGED,
    ON_UPLOADS,
    SHARED,
    exact,
)
from api.description.schemas import DRY_RUN_ANSWER, PROBLEM
from api.http.parameters import FILE_TYPES
from api.http.policy import (
    NO_DRY_RUN,
    NO_KEY,
    POLICY,
    RATE,
    SENDS,
    STREAMS,
    Open,
    handlers_of,
    scope_of,
)
from api.http.request import ApiRequest

_FILE_BODY: Json = {
    "description": "The file; Content-Type and Content-Length say what it is",
    "required": True,
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}
_LOG_IN = (
    "To try it: send `POST /api/auth/login`, copy `accessToken` from the response, choose"
    " **Authorize** and paste it."
)
_REFERENCE = "#/components/schemas/{name}"
_SCHEMES: Json = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The `accessToken` that `POST /api/auth/login` returns.",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Api-Key",
        "description": "A key that `POST /api/apikey` returns, with the scope that the operation"
        " needs (`x-needs`). It can be sent as `Authorization: Bearer tr_live_…` instead.",
    },
    "refreshCookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-rt",
        "description": "Set by the login; named `rt` where the server speaks no HTTPS.",
    },
}


def describe(routes: list[ControllerRouterHandler]) -> Json:
    """Return the OpenAPI description of *routes*."""
    # A separate application: the one that serves has only our routes.
    app = Litestar(
        routes,
        openapi_config=OpenAPIConfig(
            title="Trackrecord",
            description=_LOG_IN,
            version=_version(),
            path="/description",
            use_handler_docstrings=True,
        ),
        request_class=ApiRequest,
        logging_config=None,
    )
    described = _with_plain_names(app.openapi_schema.to_schema())
    described["components"]["responses"] = {}
    handlers = {(path, method): handler for path, method, handler in handlers_of(app)}
    examples = recorded_examples()
    for path, method, operation in _operations(described):
        _complete(described["components"], path, operation, method, handlers[path, method])
        if (example := examples.get(f"{method} {path}")) is not None:
            show_example(operation, example)
    link_what_is_created(described["paths"])
    components = described["components"]
    components["schemas"] |= {"Problem": PROBLEM, "DryRun": DRY_RUN_ANSWER}
    components["parameters"] = SHARED
    components["headers"] = HEADERS
    components["securitySchemes"] = _SCHEMES
    _describe_bodies(described, handlers.values())
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


def _complete(
    components: Json, path: str, operation: Json, method: str, handler: HTTPRouteHandler
) -> None:
    policy = handler.opt.get(POLICY)
    operation["operationId"] = operation_id(path, handler)
    operation["summary"] = _first_sentence(operation.get("description", ""))
    operation["security"] = _credentials(handler)
    if handler.opt.get(RATE) == "refresh":
        operation["security"] = [{"refreshCookie": []}]
    if not isinstance(policy, Open):
        operation["x-needs"] = policy
    operation.pop("deprecated", None)
    own = [exact(parameter, handler) for parameter in operation.get("parameters", [])]
    shared = _shared(method, handler, operation)
    references = [{"$ref": f"#/components/parameters/{name}"} for name in shared]
    operation["parameters"] = [*own, *references]
    if handler.opt.get(STREAMS):
        operation["requestBody"] = _FILE_BODY
    operation["responses"] = _responses(
        components, operation, method, handler, dry="DryRun" in shared
    )


def _credentials(handler: HTTPRouteHandler) -> list[Json]:
    """Return the security requirements of an operation: any one of them is enough."""
    if handler.opt.get(POLICY) is Open.PUBLIC:
        return []
    key: list[Json] = [{"apiKey": []}] if scope_of(handler) is not None else []
    return [{"bearer": []}, *key]


def _shared(method: str, handler: HTTPRouteHandler, operation: Json) -> list[str]:
    """Return the names of the parameters that an operation shares with others."""
    names: list[str] = []
    if method != "GET" and not handler.opt.get(NO_DRY_RUN):
        names += DRY_RUN
    if handler.opt.get(POLICY) is not Open.PUBLIC:
        names += ON_QUERIES if method == "GET" else ON_COMMANDS
    if handler.opt.get(NO_KEY):
        names = [name for name in names if name not in ON_COMMANDS]
    names += ON_UPLOADS if handler.opt.get(STREAMS) else ()
    names += ON_FILES if "Content-Range" in handler.opt.get(SENDS, ()) else ()
    names += ON_STREAMS if "X-Accel-Buffering" in handler.opt.get(SENDS, ()) else ()
    return [*names, *ON_UNCHANGED] if "304" in operation["responses"] else names


def _responses(
    components: Json, operation: Json, method: str, handler: HTTPRouteHandler, *, dry: bool
) -> Json:
    answers: Json = {}
    declared = {s: a for s, a in operation["responses"].items() if s[0] in "23"}
    if "204" in declared:
        declared.pop("200", None)
    account = handler.opt.get(POLICY) is not Open.PUBLIC
    for status, answer in declared.items():
        content = _split(answer.pop("content", {}))
        if content:
            answer["content"] = content
        shown = _shown(components["schemas"], content)
        names = success_headers(int(status), shown, reads=method == "GET", account=account)
        if status == "304":
            names = ("ETag",)
        answers[status] = with_headers(answer, (*names, *handler.opt.get(SENDS, ())))
    if dry:
        _add_dry_run(answers)
    for number, codes in failures_of(method, handler).items():
        answers[str(number)] = _problem(components, number, codes)
    return dict(sorted(answers.items()))


def _problem(components: Json, status: int, codes: list[str]) -> Json:
    """Return a reference to the response with one of *codes*, which operations share."""
    name = ".".join((str(status), *codes))
    response = with_headers(problem_response(status, codes), failure_headers(status))
    components["responses"][name] = response
    return {"$ref": f"#/components/responses/{name}"}


def _split(content: Json) -> Json:
    """Tell apart the types of a file, which Litestar takes for one.

    What a thing was also has all that it is shown with now, so that it may be of both types.
    """
    for media in content.values():
        if "oneOf" in (schema := media.get("schema", {})):
            schema["anyOf"] = schema.pop("oneOf")
    return {kind: media for kinds, media in content.items() for kind in kinds.split(FILE_TYPES)}


def _shown(schemas: Json, content: Json) -> Json:
    """Return the schema of JSON *content*, followed if it is a reference; the first of several."""
    schema: Json = content.get("application/json", {}).get("schema", {})
    schema = schema.get("anyOf", [schema])[0]
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Json = schemas[name] if name else schema
    return found


def _add_dry_run(answers: Json) -> None:
    reference = {"$ref": "#/components/schemas/DryRun"}
    ok = answers.get("200")
    if ok is None:
        media = {"application/json": {"schema": reference}}
        answers["200"] = with_headers({"description": "A dry run", "content": media})
        return
    media = ok["content"].get("application/json")
    if media is None:
        return  # a dry run of an import answers in the same format
    media["schema"] = {"anyOf": [media["schema"], reference]}
    ok["description"] += ", or the events of a dry run"


def _first_sentence(text: str) -> str:
    return re.split(r"[.;:]", text, maxsplit=1)[0]


def _describe_bodies(described: Json, handlers: Iterable[HTTPRouteHandler]) -> None:
    """Describe request bodies as msgspec decodes them, with every bound; Litestar omits some."""
    bodies = [
        field.annotation for each in handlers if (field := each.parsed_data_field) is not None
    ]
    _, schemas = msgspec.json.schema_components(bodies, ref_template=_REFERENCE)
    for schema in schemas.values():
        if "description" in schema:  # a docstring, which Python before 3.13 leaves indented
            schema["description"] = cleandoc(schema["description"])
    described["components"]["schemas"] |= schemas
