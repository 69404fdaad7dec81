"""Each promise about identity, its security and the trash has tests: tests/requirements.txt."""

import ast
import re
from functools import cache

from tests.architecture.sources import ROOT

LIST = ROOT / "tests" / "requirements.txt"
PROMISED = (
    *(f"S{n}" for n in (*range(1, 32), 47, 48, 49, 61, 62, 63, 64)),
    *(f"J{n}" for n in range(1, 8)),
    *(f"R{n}" for n in range(1, 12)),
    *(f"P{n}" for n in range(1, 11)),
    *(f"K{n}" for n in range(1, 6)),
    *(f"A{n}" for n in range(1, 12)),
    *(f"SEC-S{n}" for n in (1, 2, 3, 12)),
)
"""The numbers of the rows: accounts, organizations, keys, the trash; tokens, refreshes, passwords,
keys, access; secrets."""


def rows() -> dict[str, dict[str, list[str]]]:
    """Return the tests of each row by file."""
    found: dict[str, dict[str, list[str]]] = {}
    blocks = LIST.read_text().split("\n\n")
    for head, *lines in (block.splitlines() for block in blocks if not block.startswith("#")):
        number = head.partition(" ")[0]
        assert number not in found, f"{number} stands twice"
        named = (line.split() for line in lines)
        found[number] = {path: tests for path, *tests in named}
    return found


@cache
def named_in(path: str) -> frozenset[str]:
    """Return the names of the tests in a file: functions, and test cases of state machines."""
    tree = ast.parse((ROOT / path).read_text())
    functions = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    machines = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return frozenset(name for name in functions | machines if re.match("test_|Test", name))


def test_every_promise_is_listed_once() -> None:
    assert list(rows()) == list(PROMISED)


def test_every_promise_has_tests_that_exist() -> None:
    missing = [
        f"{number}: {path} {test}"
        for number, files in rows().items()
        for path, tests in files.items()
        for test in tests
        if test not in named_in(path)
    ]

    assert missing == []
    assert [number for number, files in rows().items() if not any(files.values())] == []
