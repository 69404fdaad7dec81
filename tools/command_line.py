"""Generates the command-line page: every command of ``trackrecord`` with its arguments."""

import argparse
import inspect
from collections.abc import Iterator
from typing import cast

from tools.markdown import code, page, table


def command_line_page() -> str:
    """Return the page, a section per command."""
    import cli.__main__ as main  # noqa: PLC0415 - the other pages need no processes

    parser = main.parser()
    _, _, about_all = (inspect.getdoc(main) or "").partition("\n\n")
    parts = [f"{parser.description}\n\n{about_all}"]
    for path, about, command in _commands(parser, parser.prog):
        parts += [f"## {path}", about]
        rows = [_row(action) for action in command._actions if _is_argument(action)]  # pyright: ignore[reportPrivateUsage]  # argparse has no public way to list its commands
        if rows:
            parts.append(table(("argument", "default", "meaning"), rows))
    return page("Command line", *parts)


def _commands(
    parser: argparse.ArgumentParser, path: str
) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Yield path, description and parser of every command."""
    for action in parser._actions:  # pyright: ignore[reportPrivateUsage]  # argparse has no public way to list its commands
        if not isinstance(action, argparse._SubParsersAction):  # pyright: ignore[reportPrivateUsage]  # argparse has no public way to list its commands
            continue
        helps = {choice.dest: choice.help or "" for choice in action._choices_actions}  # pyright: ignore[reportPrivateUsage]  # argparse has no public way to list its commands
        named = cast(dict[str, argparse.ArgumentParser], action.choices)  # pyright: ignore[reportUnknownMemberType]  # untyped in argparse
        for name, command in named.items():
            below = list(_commands(command, f"{path} {name}"))
            if below:
                yield from below
            else:
                yield f"{path} {name}", _sentence(helps.get(name, "")), command


def _is_argument(action: argparse.Action) -> bool:
    return not isinstance(action, argparse._HelpAction)  # pyright: ignore[reportPrivateUsage]  # argparse has no public way to list its commands


def _row(action: argparse.Action) -> tuple[str, str, str]:
    names = ", ".join(action.option_strings)
    value = str(action.metavar or names.lstrip("-")).upper() if action.nargs != 0 else ""
    shown = f"{names} {value}".strip() if names else str(action.metavar or action.dest)
    default = "" if action.default in (None, False, [], argparse.SUPPRESS) else action.default
    said = action.help or ""
    if action.choices:
        said += f" ({', '.join(map(str, action.choices))})"
    return code(shown), code(default), said


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
