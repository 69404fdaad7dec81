"""Building blocks of generated Markdown pages."""

import inspect
from collections.abc import Iterable, Sequence

NOTE = "<!-- Written by `make docs`; a test compares. Change the code, not this page. -->"


def page(title: str, *parts: str) -> str:
    """Return a page: the title, a note that it is generated, and its parts."""
    return "\n\n".join([f"# {title}", NOTE, *(part.rstrip("\n") for part in parts)]) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a bar in a cell is escaped, a line break becomes a space."""
    lines = [_row(header), _row(["---"] * len(header)), *(_row(row) for row in rows)]
    return "\n".join(lines)


def code(text: object) -> str:
    """Return *text* as inline code; empty for empty text."""
    return f"`{text}`" if str(text) else ""


def fence(kind: str, lines: Iterable[str]) -> str:
    """Return a fenced block of *kind*, such as mermaid."""
    return "\n".join([f"```{kind}", *lines, "```"])


def meaning(thing: object) -> str:
    """Return the whole docstring as one paragraph."""
    return " ".join((inspect.getdoc(thing) or "").split())


def summary(thing: object) -> str:
    """Return the first paragraph of the docstring as one line."""
    return " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"
