"""The project's packages, sources and pages, found on disk."""

import ast
import fnmatch
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES: tuple[str, ...] = (*PROJECT["tool"]["importlinter"]["root_packages"], "tools")
AREAS = ("exchange", "identity", "work", "hooks", "planning")
"""How the layers with slices are divided: the domain, commands, projections and api."""

FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def _ignored() -> tuple[str, ...]:
    lines = (ROOT / ".gitignore").read_text().splitlines()
    return (".git", *(line.rstrip("/") for line in lines if line))


IGNORED = _ignored()


def entries(folder: Path) -> list[Path]:
    """Return the entries of *folder* that git does not ignore, sorted."""
    return sorted(
        path
        for path in folder.iterdir()
        if not any(fnmatch.fnmatch(path.name, pattern) for pattern in IGNORED)
    )


def files(folder: Path = ROOT, suffix: str = "") -> Iterator[Path]:
    """Yield every file below *folder* that belongs to the project."""
    for path in entries(folder):
        if path.is_dir():
            yield from files(path, suffix)
        elif path.name.endswith(suffix):
            yield path


SOURCES = [path for package in PACKAGES for path in files(ROOT / package, ".py")]
PYTHON = list(files(ROOT, ".py"))
PAGES = list(files(ROOT, ".md"))


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Return every node of a module's syntax tree; to find them takes long, so once is enough."""
    return tuple(ast.walk(tree(path)))


def functions(path: Path) -> Iterator[FUNCTION]:
    """Yield every function and method of a module."""
    for node in nodes(path):
        if isinstance(node, FUNCTION):
            yield node


def short(path: Path) -> str:
    """Return *path* relative to the root."""
    return str(path.relative_to(ROOT))
