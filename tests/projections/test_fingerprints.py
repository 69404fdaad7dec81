"""A read model that changes has a new version: what is stored has the shape of the old one.

A field that is added without one would be shown nowhere until the next event of each document.
``fingerprints.json`` is only ever added to, by ``make examples``.
"""

import inspect
import json
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from projections.base import Projection, View
from projections.catalog import PROJECTIONS

COMMITTED = Path(__file__).with_name("fingerprints.json")


def views_of(projection: Projection[Any]) -> list[type[View]]:
    """Return the views in the module of a read model."""
    module = inspect.getmodule(type(projection))
    found = [one for one in vars(module).values() if isinstance(one, type)]
    return [v for v in found if issubclass(v, View) and v.__module__ == type(projection).__module__]


def told(kind: type) -> dict[str, str]:
    """Return the fields of a struct with their types, as text."""
    hints = get_type_hints(kind)
    fields: tuple[str, ...] = getattr(kind, "__struct_fields__")  # noqa: B009 - of any Struct
    return {name: str(hints[name]) for name in fields}


def fingerprint(projection: Projection[Any]) -> dict[str, Any]:
    """Return what makes two versions of a read model different."""
    shape = projection.shape
    return {
        "state": {k: v for k, v in told(projection.state).items() if k not in projection.left_out},
        "fields": {name: kind.value for name, kind in shape.fields.items()},
        "views": {view.__name__: told(view) for view in views_of(projection)},
        "indexes": [index.name for index in shape.indexes],
    }


def key(projection: Projection[Any]) -> str:
    return f"{projection.name} {projection.version}"


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda one: one.name)
def test_a_read_model_is_the_one_that_was_committed_under_its_version(
    projection: Projection[Any],
) -> None:
    committed = json.loads(COMMITTED.read_text())

    assert key(projection) in committed, "a new version: run `make examples`"
    assert fingerprint(projection) == committed[key(projection)], "raise the version"


def test_every_read_model_has_a_view() -> None:
    assert all(views_of(projection) for projection in PROJECTIONS)


if __name__ == "__main__":
    known = json.loads(COMMITTED.read_text()) if COMMITTED.exists() else {}
    for one in PROJECTIONS:
        known.setdefault(key(one), fingerprint(one))
    COMMITTED.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
