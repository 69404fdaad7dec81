"""Writes the verifier as a single file that does not need this project.

    python -m audit.bundle > trackrecord-verify.py

The modules are concatenated in the order of their dependencies, without the imports of each other.
"""

import ast
import sys
from pathlib import Path

MODULES = ("merkle", "note", "lines", "anchor", "report", "verify", "proof/check", "standalone")
"""In order: each module imports only from those before it."""

HEADER = '''#!/usr/bin/env python3
"""Check a Trackrecord export or proof offline; made by `python -m audit.bundle`, do not edit.

    python trackrecord-verify.py FILE [--key VKEY] [--previous CHECKPOINT]

Needs Python >= 3.11 and the package `cryptography`.
"""
'''


def bundle() -> str:
    """Return the source text of the stand-alone verifier.

    :raises ValueError: two modules define the same name, so they cannot share one file.
    """
    folder = Path(__file__).parent
    owners: dict[str, str] = {}
    parts = [HEADER]
    for module in MODULES:
        source = (folder / f"{module}.py").read_text(encoding="utf-8")
        tree = ast.parse(source)
        for name in _defined(tree):
            if owners.setdefault(name, module) != module:
                raise ValueError(f"{name} is defined in {owners[name]} and in {module}")
        parts.append(f"\n# ---- audit/{module}.py ----\n\n{_without_own_imports(source, tree)}")
    return "".join(parts)


def _defined(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return names


def _without_own_imports(source: str, tree: ast.Module) -> str:
    lines = source.splitlines(keepends=True)
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("audit."):
            first, last = node.lineno - 1, node.end_lineno or node.lineno
            lines[first:last] = [""] * (last - first)
    return "".join(lines)


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a real stream in -m
    sys.stdout.write(bundle())
