"""Shows the progress of a long command, on a terminal only."""

from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from eventstore.backup.writing import Watch


@contextmanager
def watching(doing: str) -> Generator[Watch]:
    """Yield the function to call after each slice of rows."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(doing)

        def watch(table: str, rows: int) -> None:
            progress.update(task, description=f"{doing}: {rows} rows of {table}")

        yield watch
