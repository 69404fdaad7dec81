"""Finds the problems that api/ itself responds with, by reading its source.

A problem is created by ``Problem(status, code, detail)``, or by a function that passes its
arguments on to such a call. Texts are literals, or names that were assigned just before.
"""

import ast
from collections.abc import Iterator
from typing import Any, NamedTuple

from tools.discover import ROOT


class KnownProblem(NamedTuple):
    """A problem: its status, its code for programs and its text for people."""

    status: int
    code: str
    detail: str


class _Maker(NamedTuple):
    """A function that creates problems: its parameters, their defaults, and its texts."""

    parameters: list[str]
    defaults: dict[str, Any]
    says: tuple[Any, ...]


def problems_of_the_api() -> Iterator[KnownProblem]:
    """Yield every problem found, some of them more than once."""
    functions = [
        node
        for path in sorted((ROOT / "api").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    makers = {"Problem": _Maker(["status", "code", "detail"], {}, ("status", "code", "detail"))}
    for function in functions:
        for says in _calls(function, {"Problem": makers["Problem"]}):
            if any(isinstance(part, ast.Name) for part in says):
                makers[function.name] = _maker(function, says)
    for function in functions:
        for says in _calls(function, makers):
            match [part.value if isinstance(part, ast.Constant) else part for part in says]:
                case [int(status), str(code), str(detail)]:
                    yield KnownProblem(status, code, detail)
                case _:
                    pass


def _maker(function: ast.FunctionDef | ast.AsyncFunctionDef, says: tuple[Any, ...]) -> _Maker:
    parameters = [argument.arg for argument in function.args.args]
    given = function.args.defaults
    defaults = dict(zip(parameters[len(parameters) - len(given) :], given, strict=True))
    parts = tuple(part.id if isinstance(part, ast.Name) else part for part in says)
    return _Maker(parameters, defaults, parts)


def _calls(
    function: ast.FunctionDef | ast.AsyncFunctionDef, makers: dict[str, _Maker]
) -> Iterator[tuple[Any, ...]]:
    """Yield status, code and detail of each call of a maker, as far as they are constants."""
    named: dict[str, Any] = {}
    for node in sorted(_within(function), key=lambda each: each.lineno):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant() as value):
                named[name] = value
            case ast.Call(func=ast.Name(id=name)) if name in makers:
                maker = makers[name]
                given: dict[str, Any] = {**maker.defaults}
                given |= dict(zip(maker.parameters, node.args, strict=False))
                given |= {word.arg: word.value for word in node.keywords if word.arg}
                parts = (given.get(p) if isinstance(p, str) else p for p in maker.says)
                yield tuple(named.get(p.id, p) if isinstance(p, ast.Name) else p for p in parts)
            case _:
                pass


def _within(function: ast.AST) -> Iterator[ast.stmt | ast.expr]:
    for node in ast.walk(function):
        if isinstance(node, ast.Assign | ast.Call):
            yield node
