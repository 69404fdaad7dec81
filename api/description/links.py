"""Links from what creates a resource to what can be done with it (OpenAPI 3.1, Link Object).

They are derived from the paths: ``POST /api/webhook`` creates ``/api/webhook/{webhook_id}``.
"""

import re
from collections.abc import Iterator

from api.description.headers import Json

_PARAMETER = re.compile(r"\{(\w+)\}")


def link_what_is_created(paths: Json) -> None:
    """Add links to every 201 whose body is a resource with a path of its own."""
    for path, item in paths.items():
        created = item.get("post", {}).get("responses", {}).get("201", {})
        resource = (
            _path_of(created, path, paths) if "Location" in created.get("headers", ()) else ""
        )
        if resource:
            created["links"] = dict(_links(resource, paths[resource]))


def _path_of(created: Json, collection: str, paths: Json) -> str:
    """Return the path of a resource: below its collection, or where a GET shows the same."""
    for path in paths:
        if re.fullmatch(re.escape(collection) + r"/\{\w+\}", path):
            return path
    for path, item in paths.items():
        shown = item.get("get", {}).get("responses", {}).get("200", {})
        if path.endswith("}") and shown.get("content") and _kind(shown) == _kind(created):
            return path
    return ""


def _kind(response: Json) -> str:
    """Return what a response shows: briefly (``TaskView``), in detail (``TaskDetail``) or new."""
    schema: Json = response["content"].get("application/json", {}).get("schema", {})
    schema = schema.get("anyOf", [schema])[0]  # the first is what a thing is now
    return re.sub("(View|Detail)$", "", str(schema.get("$ref")).replace("/Created", "/"))


def _links(path: str, item: Json) -> Iterator[tuple[str, Json]]:
    *others, own = _PARAMETER.findall(path)
    parameters = {name: f"$request.path.{name}" for name in others}
    parameters[own] = "$response.body#/id"
    for method, operation in item.items():
        if method != "parameters":
            name = operation["operationId"]
            yield name, {"operationId": name, "parameters": parameters}
