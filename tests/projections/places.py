"""The queries of where tasks belong."""

from projections.engine.find import ReadModels
from projections.work.task_place import subtasks_of, tasks_around, tasks_below
from tests.domain.spec import ACME, ENG, TASK


async def ask_places(models: ReadModels, after: str | None) -> None:
    """Send each query once."""
    await subtasks_of(models, ACME, TASK, above=after)
    await tasks_below(models, ACME, TASK)
    await tasks_around(models, ACME, ENG, "A", 3)
