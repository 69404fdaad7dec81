"""Names that nobody knows any more: those of different things need not have differed."""

from collections.abc import Callable
from uuid import UUID

import pytest

from commands.base import Command
from commands.handler import CommandHandler
from commands.lint.walk import lint_log
from commands.planning.milestone import CreateMilestone, DeleteMilestone, RestoreMilestone
from commands.planning.template import CreateTemplate, DeleteTemplate, RestoreTemplate
from commands.planning.view import CreateView, DeleteView, RestoreView
from commands.work.label import CreateLabel, DeleteLabel, RestoreLabel
from commands.work.trash.purge import PurgeTrashed
from commands.work.trash.things import Thing
from domain.base import LabelId, MilestoneId, TemplateId, ViewId
from domain.work.trash import TrashKind
from eventstore.log import EventLog
from tests.commands.acme import ACCOUNTS
from tests.domain.spec import ENG
from tests.spec import context, record

STORIES: dict[TrashKind, Callable[[UUID, str], list[Command]]] = {
    TrashKind.LABEL: lambda thing, name: [
        CreateLabel(label_id=LabelId(thing), name=name, color="#ff0000"),
        DeleteLabel(label_id=LabelId(thing)),
        RestoreLabel(label_id=LabelId(thing)),
        DeleteLabel(label_id=LabelId(thing)),
    ],
    TrashKind.MILESTONE: lambda thing, name: [
        CreateMilestone(milestone_id=MilestoneId(thing), project_id=ENG, name=name),
        DeleteMilestone(milestone_id=MilestoneId(thing)),
        RestoreMilestone(milestone_id=MilestoneId(thing)),
        DeleteMilestone(milestone_id=MilestoneId(thing)),
    ],
    TrashKind.VIEW: lambda thing, name: [
        CreateView(view_id=ViewId(thing), name=name, shared=True),
        DeleteView(view_id=ViewId(thing)),
        RestoreView(view_id=ViewId(thing)),
        DeleteView(view_id=ViewId(thing)),
    ],
    TrashKind.TEMPLATE: lambda thing, name: [
        CreateTemplate(template_id=TemplateId(thing), name=name),
        DeleteTemplate(template_id=TemplateId(thing)),
        RestoreTemplate(template_id=TemplateId(thing)),
        DeleteTemplate(template_id=TemplateId(thing)),
    ],
}


@pytest.mark.parametrize("kind", STORIES)
async def test_two_things_whose_names_are_erased_are_no_finding(
    log: EventLog, handler: CommandHandler, kind: TrashKind
) -> None:
    await record(log, *ACCOUNTS)
    first, second = UUID(int=401), UUID(int=402)
    one, two = STORIES[kind](first, "One"), STORIES[kind](second, "Two")
    for command in (one[0], two[0], *one[1:], *two[1:]):
        await handler.handle(command, context())
    for thing in (first, second):
        await handler.handle(PurgeTrashed(thing=Thing(kind, thing)), context())

    assert [found async for found in lint_log(log)] == []
