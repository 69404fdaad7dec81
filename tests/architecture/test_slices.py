"""A slice has the same name in every layer: tasks are */work/task.py or */work/task/."""

import importlib
from pathlib import Path

import pytest

from domain.base import Event
from tests.architecture.sources import AREAS, ROOT, files

LAYERS = ("commands", "projections", "api")

ELSEWHERE = {
    ("projections", "audit"): "the audit log is the event stream itself: audit/trail.py reads it",
    ("projections", "access"): "it is read in the audit log",
    ("projections", "redaction"): "read models hold what things say now; the log tells the rest",
    ("projections", "undo"): "what it changes is shown where it is; the activity finds it again",
    ("api", "undo"): "api/exchange/undo.py, as it takes back what any area did",
    ("api", "access"): "recorded where members are let in or refused: api/http, api/login",
    ("api", "identity/user"): "a user is reached as an account: api/identity/{auth,account}.py",
}
"""Slices that have another name in a layer, or no file there, with the reason."""


def slices() -> list[str]:
    """Return the aggregates of the domain as ``area/name``: modules or packages with events."""
    found: dict[str, None] = {}
    for path in files(ROOT / "domain", ".py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        module = importlib.import_module(".".join(parts))
        events = [
            item
            for item in vars(module).values()
            if isinstance(item, type) and issubclass(item, Event) and item is not Event
        ]
        if any(event.__module__ == module.__name__ for event in events):
            found["/".join(parts[1:3] if parts[1] in AREAS else parts[1:2])] = None
    return list(found)


SLICES = slices()


@pytest.mark.parametrize("name", SLICES)
@pytest.mark.parametrize("layer", LAYERS)
def test_a_slice_has_a_file_in_every_layer(layer: str, name: str) -> None:
    here = _stands(ROOT / layer / name)

    assert here != ((layer, name) in ELSEWHERE), "an exception must be one, and be needed"


@pytest.mark.parametrize("name", SLICES)
def test_a_slice_has_tests(name: str) -> None:
    area, _, module = name.rpartition("/")
    folders = [ROOT / "tests" / layer / area for layer in ("domain", "commands")]

    assert any((folder / f"test_{module}.py").exists() for folder in folders)


def test_no_exception_is_left_for_a_slice_that_does_not_exist() -> None:
    assert {name for _, name in ELSEWHERE} <= set(SLICES)
    assert {layer for layer, _ in ELSEWHERE} <= set(LAYERS)


def _stands(path: Path) -> bool:
    """Return whether a module or a package of that name is there."""
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()
