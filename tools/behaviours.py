"""Generates the behaviours page: each command, the events it can record, its tests."""

import ast
from pathlib import Path

from commands.base import Command
from domain.catalog import EVENT_TYPES, tag_of
from tools.discover import ROOT, leaves
from tools.markdown import code, page, summary, table

_INTRO = """\
Every command: what it does, the events that it can record (none if nothing changes), the
permission that it needs, and its tests, which prove that it records exactly these events."""


def behaviours_page() -> str:
    """Return the page: a table per module of commands, then the events that no command records."""
    commands = leaves(Command, "commands")
    stories = _stories()
    parts = [_INTRO]
    for module in sorted({command.__module__ for command in commands}):
        rows = [_row(command, stories) for command in commands if command.__module__ == module]
        parts += [f"## {module.rpartition('.')[2]}", table(_HEADER, rows)]
    unreached = unrecorded(commands)
    if unreached:
        names = ", ".join(code(tag) for tag in unreached)
        parts.append(f"## Events that no command records yet\n\n{names}.")
    return page("Behaviours", *parts)


def unrecorded(commands: list[type[Command]]) -> list[str]:
    """Return the tags of the events that none of *commands* can record."""
    recorded = {tag_of(event) for command in commands for event in command.records}
    return [tag for tag in EVENT_TYPES if tag not in recorded]


_HEADER = ("command", "what it does", "can record", "needs", "stories")


def _row(command: type[Command], stories: dict[str, list[str]]) -> tuple[str, ...]:
    return (
        code(command.__name__),
        summary(command),
        ", ".join(code(tag_of(event)) for event in command.records) or "nothing",
        code(command.needs or ""),
        ", ".join(
            f"[{Path(path).stem}](../../{path})" for path in stories.get(command.__name__, ())
        ),
    )


def _stories() -> dict[str, list[str]]:
    """Return the test files by the names that they mention."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests" / "commands").rglob("test_*.py")):
        tree = ast.parse(path.read_text())
        for name in sorted({n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}):
            found.setdefault(name, []).append(str(path.relative_to(ROOT)))
    return found
