"""Progress bars: only on a terminal, and never between lines of output."""

from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn

from eventstore.backup.writing import Watch


def progress_bar(*columns: ProgressColumn) -> Progress:
    """Return a progress display on standard error that prints nothing into a pipe."""
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def watching(doing: str) -> Generator[Watch]:
    """Show how many rows are done; yield the function to call after each slice of rows."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with progress_bar(*columns) as progress:
        task = progress.add_task(doing)

        def watch(table: str, rows: int) -> None:
            progress.update(task, description=f"{doing}: {rows} rows of {table}")

        yield watch
