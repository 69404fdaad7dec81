"""The names of operations, from which generated clients take theirs: ``createTask``."""

from litestar.handlers import HTTPRouteHandler

from api.http.problem import camel


def operation_id(path: str, handler: HTTPRouteHandler) -> str:
    """Return the name of an operation: the function's, with its controller's noun if it has none.

    ``create`` of ``TaskController`` is ``createTask``, ``list_tasks`` is ``listTasks``. A second
    path of the same function is named after the place where it stands.
    """
    controller, _, name = handler.fn.__qualname__.rpartition(".")
    noun = controller.rpartition(".")[2].removesuffix("Controller")
    whole = camel(name) if "_" in name else name + _NOUNS.get(noun, noun)
    return whole if path.startswith("/api/") or len(handler.paths) == 1 else f"{whole}AtRoot"


_NOUNS = {"ProjectTask": "Task", "Auth": ""}
"""Where the noun is not the controller's name; none where a verb needs none, as ``login``."""
