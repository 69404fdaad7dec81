"""The queries of where tasks belong, and of what is in the trash."""

from domain.work.trash import TrashKind
from projections.engine.find import ReadModels
from projections.work.task_place import subtasks_of, tasks_around, tasks_below
from projections.work.trash import TrashFilter, trash_of
from tests.domain.spec import ACME, ANA, ENG, TASK


async def ask_places(models: ReadModels, after: str | None) -> None:
    """Send each query once."""
    await subtasks_of(models, ACME, TASK, above=after)
    await tasks_below(models, ACME, TASK, 200)
    await tasks_around(models, ACME, ENG, "A", 3)
    await _ask_about_trash(models)


async def _ask_about_trash(models: ReadModels) -> None:
    """Send each query of the trash once."""
    for wanted in (
        TrashFilter(),
        TrashFilter(kind=TrashKind.TASK),
        TrashFilter(project_id=ENG, kind=TrashKind.TASK),
        TrashFilter(owner=ANA, project_id=ENG),
        TrashFilter(among=[ENG], kind=TrashKind.COMMENT),
    ):
        await trash_of(models, ACME, wanted, frozenset({ENG}))
