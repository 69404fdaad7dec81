"""The page of the command line: every command of ``trackrecord`` with its arguments."""

import inspect

from cli.examples import NAME
from tools.markdown import page

_LAYOUT = """\
The same is shown by `--help` after any command, with examples. `trackrecord --version` prints the
version, `trackrecord --install-completion` installs completion for your shell."""


def command_line_page() -> str:
    """Return the page, one section per command."""
    import cli.__main__ as entry  # noqa: PLC0415 - the other pages need no processes

    _, _, about_all = (inspect.getdoc(entry) or "").partition("\n\n")
    text = entry.command_line().generate_docs("markdown", heading_level=2, flatten_commands=True)
    sections = text[text.index(f"## {NAME} ") : text.index(f"## {NAME} --install")]
    return page("Command line", about_all, _LAYOUT, sections.strip())
