"""Catalog of all read models: every projection that a module of these areas defines."""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from projections import exchange, hooks, identity, planning, work
from projections.base import Projection

_MODULES = [
    import_module(found.name)
    for area in (exchange, hooks, identity, planning, work)
    for found in iter_modules(area.__path__, f"{area.__name__}.")
]


def _is_read_model(item: Any, module: ModuleType) -> bool:
    if not isinstance(item, type) or item.__module__ != module.__name__:
        return False
    return issubclass(item, Projection)


PROJECTIONS: tuple[Projection[Any], ...] = tuple(
    item() for module in _MODULES for item in vars(module).values() if _is_read_model(item, module)
)
