"""Every query about what a task contains, and about what happened to it."""

from projections.engine.find import ReadModels
from projections.work.activity import activity_of, recorded_under
from projections.work.attachment import attachments_of
from projections.work.comment import comments_of
from tests.commands.acme import COMMENT
from tests.domain.spec import ACME, TASK


async def ask_about_content(models: ReadModels) -> None:
    """Send every query, for a first page and for a later one."""
    for after, below in ((None, None), (str(COMMENT), 20)):
        await comments_of(models, ACME, TASK, after=after)
        await comments_of(models, ACME, TASK, COMMENT, after=after)
        await attachments_of(models, ACME, TASK, after=after)
        await activity_of(models, ACME, TASK, below=below)
    await recorded_under(models, ACME, "spring-cleaning", 1_500)
