"""Which events a command can record, read off its source.

From ``decide`` on, every function and every method of a state that it calls is followed; each
event class that is called on the way is one that the command may record. States are known by how
they are got: ``read(Task, …)``, ``read.new(Task, …)``, or a function whose return type says so.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any, get_args, get_origin, get_type_hints

from commands.base import Command
from domain.base import Event

_Function = Callable[..., Any]
_Called = type[Event] | tuple[_Function, type[Any]]


def events_of(command: type[Command]) -> list[type[Event]]:
    """Return the events that *command* can record, in the order in which they are found."""
    found: dict[type[Event], None] = {}
    seen: set[_Function] = set()
    waiting: list[tuple[_Function, type[Any]]] = [(command.decide, command)]
    while waiting:
        function, owner = waiting.pop(0)
        if function in seen:
            continue
        seen.add(function)
        for called in _Reader(function, owner).called():
            if isinstance(called, type):
                found[called] = None
            else:
                waiting.append(called)
    return list(found)


class _Reader:
    """Reads one function; *owner* is the type of its ``self``."""

    def __init__(self, function: _Function, owner: type[Any]) -> None:
        plain = inspect.unwrap(function)
        self._globals: dict[str, Any] = plain.__globals__ if _is_function(plain) else {}
        self._tree = ast.parse(textwrap.dedent(inspect.getsource(plain)))
        self._types: dict[str, type[Any]] = {"self": owner}
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Assign):
                self._learn(node.targets[0], node.value)

    def called(self) -> Iterator[_Called]:
        """Yield event classes that are made, and functions and methods that are called."""
        calls = [node for node in ast.walk(self._tree) if isinstance(node, ast.Call)]
        for call in sorted(calls, key=lambda each: (each.lineno, each.col_offset)):
            match call.func:
                case ast.Name(id=name):
                    what: Any = self._globals.get(name)
                    if isinstance(what, type) and issubclass(what, Event):
                        yield what
                    elif _is_ours(what):
                        yield what, type(None)
                case ast.Attribute(value=value, attr=name):
                    owner = self._type_of(value)
                    method: Any = getattr(owner, name, None) if owner else None
                    if owner and name != "evolve" and _is_ours(method):
                        yield method, owner
                case _:
                    pass

    def _learn(self, target: ast.expr, value: ast.expr) -> None:
        value = value.value if isinstance(value, ast.Await) else value
        match target, value:
            case ast.Tuple(elts=names), ast.Call(func=ast.Name(id=name)):
                parts = get_args(_returned(self._globals.get(name)))
                for one, kind in zip(names, parts, strict=False):
                    if isinstance(one, ast.Name):
                        self._types[one.id] = kind
            case ast.Name(id=name), _:
                kind = self._type_of(value)
                if kind is not None:
                    self._types[name] = kind
            case _:
                pass

    def _type_of(self, value: ast.expr) -> type[Any] | None:
        match value:
            case ast.Await(value=awaited):
                return self._type_of(awaited)
            case ast.Name(id=name):
                return self._types.get(name)
            case ast.Call(func=ast.Name(id="read"), args=[ast.Name(id=kind), *_]):
                return self._globals.get(kind)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="read"), attr="new"),
                args=[ast.Name(id=kind), *_],
            ):
                return self._globals.get(kind)
            case ast.Call(func=ast.Name(id=name)):
                kind = _returned(self._globals.get(name))
                return kind if isinstance(kind, type) and get_origin(kind) is None else None
            case _:
                return None


def _returned(function: Any) -> Any:
    return get_type_hints(function).get("return") if _is_ours(function) else None


def _is_function(what: Any) -> bool:
    return isinstance(what, FunctionType)


def _is_ours(what: Any) -> bool:
    return _is_function(what) and what.__module__.partition(".")[0] in ("commands", "domain")
