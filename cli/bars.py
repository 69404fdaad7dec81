"""Progress bars: only on a terminal, and never between lines of output."""

from rich.console import Console
from rich.progress import Progress


def progress_bar() -> Progress:
    """Return a progress display on standard error that prints nothing into a pipe."""
    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=not console.is_terminal)
