"""Examples of requests and responses, which tests of the API have recorded (``make examples``)."""

import json
from pathlib import Path
from typing import Any

from api.description.headers import Json

_FILE = Path(__file__).with_name("examples.json")


def recorded_examples() -> dict[str, Any]:
    """Return the example of each operation by its name, such as ``GET /api/task/{task}``."""
    read: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return read


def show_example(operation: Json, example: Json) -> None:
    """Put an example into the description of its operation."""
    sent, got = example["request"], example["response"]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None and "body" in sent:
        body["example"] = sent["body"]
    content = operation["responses"].get(str(got["status"]), {}).get("content", {})
    if got.get("type") in content:
        content[got["type"]]["example"] = got["body"]
