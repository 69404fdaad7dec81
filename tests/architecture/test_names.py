"""Files, modules and public names are where and what they should be."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.sources import AREAS, PYTHON, ROOT, SOURCES, entries, short, tree

ROOT_ENTRIES = (
    {".ci", ".dockerignore", ".gitignore", "Dockerfile", "docker-compose.yml"}
    | {"CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md"}
    | {"pyproject.toml", "requirements.lock", "requirements-run.lock"}
    | {
        "api",
        "audit",
        "cli",
        "commands",
        "deliveries",
        "devstack",
        "domain",
        "eventstore",
        "files",
        "mail",
    }
    | {"projections", "runtime", "security", "workers"}
    | {"benchmarks", "docs", "tests", "tools"}
)

PROTOCOLS = {
    "run": "each subcommand runs so",
    "main": "where `python -m` starts",
}
"""Names that several modules have because somebody calls all of them alike."""

SAYS_NOTHING = {"common", "helper", "helpers", "manager", "managers", "misc", "service"} | {
    "services",
    "shared",
    "stuff",
    "util",
    "utils",
}

LEFT_FOR_LATER = re.compile(r"#.*\b(TODO|FIXME|XXX|HACK)\b")


def test_the_root_has_only_the_expected_entries() -> None:
    assert {path.name for path in entries(ROOT)} - ROOT_ENTRIES == set()


def test_no_module_has_a_meaningless_name() -> None:
    assert [short(path) for path in PYTHON if _words(path) & SAYS_NOTHING] == []


def test_every_module_has_a_docstring() -> None:
    written = [path for path in SOURCES if path.read_text(encoding="utf-8").strip()]

    assert [short(path) for path in written if not ast.get_docstring(tree(path))] == []


def test_every_public_class_and_function_has_a_docstring() -> None:
    silent = [f"{short(path)}:{name}" for path in SOURCES for name in _silent(path)]

    assert silent == []


def test_no_public_name_is_defined_twice() -> None:
    found: dict[str, list[Path]] = {}
    for path in SOURCES:
        for name in _public(path):
            found.setdefault(name, []).append(path)

    assert {
        name: [short(path) for path in paths]
        for name, paths in found.items()
        if len(paths) > 1 and len({_slice(path) for path in paths}) > 1 and name not in PROTOCOLS
    } == {}


def test_no_exception_is_left_for_a_name_defined_once() -> None:
    names = Counter(name for path in SOURCES for name in _public(path))

    assert [name for name in PROTOCOLS if names[name] < 2] == []


def test_no_comment_says_todo() -> None:
    found = {short(p): LEFT_FOR_LATER.findall(p.read_text(encoding="utf-8")) for p in SOURCES}

    assert {path: words for path, words in found.items() if words} == {}


def _words(path: Path) -> set[str]:
    name = path.parent.name if path.stem == "__init__" else path.stem
    return set(name.split("_"))


def _public(path: Path) -> Iterator[str]:
    """Yield the public names that a module defines; type variables mean nothing outside it."""
    for node in tree(path).body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield from _unless_private(name)
            case ast.AsyncFunctionDef(name=name):
                yield from _unless_private(name)
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield from _unless_private(name)
            case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar" | "ParamSpec"))):
                pass
            case ast.Assign(targets=targets):
                for target in targets:
                    if isinstance(target, ast.Name):
                        yield from _unless_private(target.id)
            case _:
                pass


def _unless_private(name: str) -> Iterator[str]:
    if not name.startswith("_"):
        yield name


def _slice(path: Path) -> tuple[str, ...]:
    """Return what the files of one slice have in common, as ``("work", "task")``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1:3] if parts[1] in AREAS else parts


def _silent(path: Path) -> Iterator[str]:
    """Yield the public names of a module that have no docstring."""
    for node in tree(path).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            public = not node.name.startswith("_")
            if public and not ast.get_docstring(node):
                yield node.name
