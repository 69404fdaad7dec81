"""Asks for undoing in tests, and for what there is then."""

from typing import Any

from tests.api.stage import Json, Person, done

NAME = {"x-correlation-id": "spring-cleaning"}

UNDERIVED = ("version", "updatedAt", "startedAt", "completedAt", "key", "number", "watching")
"""What goes on with every change, or says that something happened."""


async def undo(person: Person, name: str = "spring-cleaning", query: str = "") -> Json:
    """Undo what has the correlation id *name*."""
    found: Json = done(await person.post(f"/undo/{name}{query}"), 200)
    return found


def told(undone: Json) -> tuple[int, int, list[str]]:
    """Return how many changes were undone, how many were so already, and what conflicts."""
    conflicts = [f"{each['field']}: {each['code']}" for each in undone["conflicts"]]
    return undone["undone"], undone["unchanged"], conflicts


async def shown(person: Person, path: str) -> Json:
    """Return a resource without what goes on with every change."""
    found = done(await person.get(path), 200)
    for name in ("assignees", "labels", "watchers", "members"):
        if isinstance(found.get(name), list):
            found[name] = sorted(found[name], key=str)
    return {name: value for name, value in found.items() if name not in UNDERIVED}


async def named(person: Person, method: str, path: str, body: Any = None, **about: Any) -> Any:
    """Send a command under the correlation id."""
    headers = {**NAME, **about.pop("headers", {})}
    answer = await person.ask(method, path, json=body, headers=headers, **about)
    assert answer.is_success, answer.text
    assert answer.headers["x-correlation-id"] == NAME["x-correlation-id"]
    return answer.json() if answer.content else None
