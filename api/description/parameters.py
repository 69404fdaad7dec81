"""The parameters of operations: those that many share, and the exact form of each one's own."""

from litestar.handlers import HTTPRouteHandler
from litestar.params import ParameterKwarg

from api.description.headers import Json

_TASK = (
    "^("
    "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
    "|[A-Za-z][A-Za-z0-9]{1,9}-[1-9][0-9]{0,8})$"
)
_NEVER = {"allowEmptyValue", "allowReserved", "deprecated"}


def _parameter(place: str, name: str, meaning: str, schema: Json) -> Json:
    said = {"in": place, "name": name, "required": False, "description": meaning}
    return {**said, "schema": schema}


def _text(pattern: str) -> Json:
    return {"type": "string", "pattern": pattern}


ON_COMMANDS = {
    "IdempotencyKey": _parameter(
        "header",
        "Idempotency-Key",
        "The same key and request return the same response for 72 hours",
        _text("^[!-~]{1,255}$"),
    ),
    "IfMatch": _parameter(
        "header",
        "If-Match",
        "Fail if a field in the body has changed since this version",
        _text(r'^(\*|(W/)?"[!#-~]*"(, (W/)?"[!#-~]*")*)$'),
    ),
}
DRY_RUN = {
    "DryRun": _parameter(
        "query", "dry_run", "Only return the events that would be recorded", {"type": "boolean"}
    )
}
ON_QUERIES = {
    "MinPosition": _parameter(
        "header",
        "X-Min-Position",
        "Wait until this position of the log is readable",
        {"type": "integer", "minimum": 0, "maximum": 9_999_999_999_999_999},
    ),
}
ON_UPLOADS = {
    "ContentDisposition": _parameter(
        "header",
        "Content-Disposition",
        'The name of the file, as `attachment; filename="plan.pdf"` or with `filename*`',
        {"type": "string"},
    ),
}
ON_FILES = {
    "Range": _parameter(
        "header", "Range", "Return this part of the file, as `bytes=0-99`", {"type": "string"}
    ),
    "IfRange": _parameter(
        "header", "If-Range", "Return the part only if the file has this ETag", {"type": "string"}
    ),
}
ON_STREAMS = {
    "LastEventId": _parameter(
        "header",
        "Last-Event-ID",
        "The id of the last event that was received; what followed it is sent",
        _text("^[0-9]{1,16}$"),
    ),
}
ON_UNCHANGED = {
    "IfNoneMatch": _parameter(
        "header", "If-None-Match", "Return 304 if this is still the version", {"type": "string"}
    ),
}
SHARED = {
    **DRY_RUN,
    **ON_COMMANDS,
    **ON_QUERIES,
    **ON_UPLOADS,
    **ON_FILES,
    **ON_STREAMS,
    **ON_UNCHANGED,
}
"""All of them by name."""


def exact(parameter: Json, handler: HTTPRouteHandler) -> Json:
    """Return a parameter as the server takes it: never null, within the declared bounds."""
    said = {key: value for key, value in parameter.items() if key not in _NEVER}
    schema = _without_null(said["schema"])
    schema.pop("description", None)
    if parameter["name"] == "task":
        schema["pattern"] = _TASK
    schema |= _bounds(parameter["name"], handler)
    free = schema.get("type") == "string" and not schema.keys() & {"format", "enum"}
    if said["in"] == "query" and free:
        schema["minLength"] = 1
    return {**said, "schema": schema}


def _without_null(schema: Json) -> Json:
    choices = [one for one in schema.get("oneOf", ()) if one != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "oneOf"}
    return {**rest, **choices[0]} if len(choices) == 1 else dict(schema)


def _bounds(name: str, handler: HTTPRouteHandler) -> Json:
    for own, field in handler.parsed_fn_signature.parameters.items():
        definition = field.kwarg_definition
        if isinstance(definition, ParameterKwarg) and (definition.name or own) == name:
            found = {"minimum": definition.ge, "maximum": definition.le}
            return {word: int(bound) for word, bound in found.items() if bound is not None}
    return {}
