"""A template that is used, for the stories of what becomes of it."""

from typing import Any
from uuid import UUID

from msgspec.structs import replace

from commands.exchange.from_template import CreateFromTemplate, MadeFromTemplate
from commands.work.task_create import CreateTask
from domain.base import TaskId
from domain.planning.template.values import StartingValues
from domain.work.task.events import (
    Priority,
    TaskCreated,
)
from domain.work.task.templated import TaskTemplated
from tests.commands.acme import task
from tests.commands.planning.plans import (
    BETA,
    BUG_FORM,
    ONE,
    template,
)
from tests.commands.planning.templates import BUG
from tests.domain.spec import CLEO, ENG, NOW
from tests.spec import Past, on

MAIN = TaskId(UUID(int=300))
BELOW = tuple(TaskId(UUID(int=301 + n)) for n in range(50))
MARK = TaskTemplated(template_id=BUG_FORM)
FULL = StartingValues(
    priority=Priority.HIGH,
    estimate=3,
    labels=(BUG,),
    assignees=(CLEO,),
    start_in=1,
    due_in=3,
    cycle_id=ONE,
    milestone_id=BETA,
)
TODAY = NOW.date()


class Noted:
    """What the command says of the template."""

    made = MadeFromTemplate()

    def __call__(self, made: MadeFromTemplate) -> None:
        self.made = made

    @property
    def left_out(self) -> list[tuple[int | None, str, str]]:
        return [
            (each.subtask, each.misfit.field, each.misfit.refused.code)
            for each in self.made.left_out
        ]


def use(noted: Noted | None = None, **about: Any) -> CreateFromTemplate:
    """Return the command with what is asked for beside the template."""
    details: dict[str, Any] = {"project_id": ENG, "title": ""}
    return CreateFromTemplate(
        template_id=BUG_FORM,
        task=CreateTask(task_id=MAIN, **(details | about)),
        given=frozenset(about),
        subtask_ids=BELOW,
        note=noted or Noted(),
    )


def made(title: str = "A bug", number: int = 2, **about: Any) -> TaskCreated:
    return replace(task(number), title=title, **about)


def kept(**about: Any) -> Past:
    return on(BUG_FORM, template(**({"title": "A bug"} | about)))
