"""Finds modules and the leaf classes of a hierarchy."""

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import TypeVar

ROOT = Path(__file__).parents[1]
"""The root folder of the project."""

T = TypeVar("T")


def modules_of(package: str) -> list[ModuleType]:
    """Import *package* and all its modules, sorted by name, except ``__main__``."""
    top = importlib.import_module(package)
    names = [
        found.name
        for found in pkgutil.walk_packages(top.__path__, f"{package}.")
        if not found.name.endswith(".__main__")
    ]
    return [top, *(importlib.import_module(name) for name in sorted(names))]


def leaves(base: type[T], *packages: str) -> list[type[T]]:
    """Return the classes in *packages* that are derived from *base* and have no subclasses there.

    Sorted by name. Imports everything in the packages first, so that none is missing.
    """
    for package in packages:
        modules_of(package)
    found: dict[str, type[T]] = {}
    waiting = [base]
    while waiting:
        kind = waiting.pop()
        below = [sub for sub in kind.__subclasses__() if _package_of(sub) in packages]
        waiting += below
        if not below and _package_of(kind) in packages:
            found[kind.__name__] = kind
    return [found[name] for name in sorted(found)]


def _package_of(kind: type) -> str:
    return kind.__module__.partition(".")[0]
