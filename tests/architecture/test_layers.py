"""Imports follow the layers, which `make lint` checks, and the domain is pure."""

import ast
from pathlib import Path

from tests.architecture.sources import PACKAGES, PROJECT, ROOT, SOURCES, files, nodes, short

DOMAIN = list(files(ROOT / "domain", ".py"))

PURE = (
    {"__future__", "abc", "collections", "dataclasses", "datetime", "enum", "functools"}
    | {
        "hashlib",
        "unicodedata",
        "immutables",
        "ipaddress",
        "itertools",
        "math",
        "msgspec",
        "re",
        "string",
        "types",
        "typing",
    }
    | {"uuid", "domain"}
)
"""What the domain may import: types and arithmetic, no I/O, clock or randomness."""

IMPURE = (
    {"now", "utcnow", "today", "time", "monotonic", "perf_counter", "uuid1", "uuid4", "uuid7"}
    | {"random", "randint", "choice", "urandom", "token_bytes", "token_hex", "environ"}
    | {"getenv", "open", "print", "input", "sleep"}
)


def test_every_package_has_a_layer_or_is_a_known_exception() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers")
    known = {package.strip() for layer in layers for package in layer.split("|")}

    assert set(PACKAGES) - known == {"devstack", "tools"}
    assert set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == known | {
        "devstack"
    }


def test_every_package_is_checked_for_import_cycles() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    [acyclic] = [c for c in contracts if c["type"] == "acyclic_siblings"]

    assert set(acyclic["ancestors"]) == set(PROJECT["tool"]["importlinter"]["root_packages"])
    assert "ignore_imports" not in acyclic
    assert "skip_descendants" not in acyclic


def test_every_module_of_a_layered_package_has_a_layer() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    inner = [c for c in contracts if c["type"] == "layers" and "containers" in c]

    layered = {name for contract in inner for name in contract["containers"]}
    assert layered >= {"domain", "commands", "projections", "api"}
    assert all(c["exhaustive"] for c in inner)


def test_no_source_imports_tests_benchmarks_or_tools() -> None:
    beside = {"tests", "benchmarks", "tools"}
    sources = [path for path in SOURCES if path.parts[len(ROOT.parts)] != "tools"]

    assert {short(path): found for path in sources if (found := _imported(path) & beside)} == {}


def test_the_domain_imports_only_pure_modules() -> None:
    assert {short(p): found for p in DOMAIN if (found := _imported(p) - PURE)} == {}


def test_the_domain_uses_no_clock_and_no_randomness() -> None:
    assert {short(p): found for p in DOMAIN if (found := _called(p) & IMPURE)} == {}


def _called(path: Path) -> set[str]:
    """Return the last part of the name of everything that a module calls."""
    called = (node.func for node in nodes(path) if isinstance(node, ast.Call))
    return {f.attr if isinstance(f, ast.Attribute) else getattr(f, "id", "") for f in called}


def _imported(path: Path) -> set[str]:
    """Return the top-level packages that a module imports, at any depth of its code."""
    names: set[str] = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}
