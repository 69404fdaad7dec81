"""What a template lets tasks start with, as requests send it."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from commands.planning.template import ValuesChange
from commands.work.task_create import Assignees, LabelIds
from commands.work.task_plan import FieldInputs
from commands.work.task_values import Description, Estimate
from domain.base import CycleId, LabelId, MilestoneId, UserId
from domain.name import Title
from domain.planning.template.values import (
    DAYS_MAX,
    LEFT_OPEN,
    SUBTASKS_MAX,
    StartingValues,
    Subtask,
)
from domain.work.task.events import Priority
from domain.work.workflow.events import StatusKey

TEMPLATE_DESCRIPTION_MAX = 10_000
"""Characters that say what a template is for."""
NAMED_MAX = 10
"""Labels, and assignees, of one subtask of a template: what a template names is read when used."""
Purpose = Annotated[str, Meta(max_length=TEMPLATE_DESCRIPTION_MAX)]
DaysLater = Annotated[int, Meta(ge=0, le=DAYS_MAX)]
"""Days after the day on which a task is created, in the time zone of the organization."""
FewLabels = Annotated[tuple[LabelId, ...], Meta(max_length=NAMED_MAX)]
FewAssignees = Annotated[tuple[UserId, ...], Meta(max_length=NAMED_MAX)]


class StartingTask(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What a task starts with; in a change, omitted members stay as they are.

    `startIn` and `dueIn` are days after the day on which a task is created. Of `fields`, null
    removes one.
    """

    title: Title | UnsetType | None = UNSET
    description: Description | UnsetType | None = UNSET
    status: StatusKey | UnsetType | None = UNSET
    priority: Priority | UnsetType | None = UNSET
    estimate: Estimate | UnsetType | None = UNSET
    labels: LabelIds | UnsetType = UNSET
    assignees: Assignees | UnsetType = UNSET
    start_in: DaysLater | UnsetType | None = UNSET
    due_in: DaysLater | UnsetType | None = UNSET
    cycle_id: CycleId | UnsetType | None = UNSET
    milestone_id: MilestoneId | UnsetType | None = UNSET
    fields: FieldInputs | UnsetType = UNSET

    @property
    def field_values(self) -> FieldInputs:
        """Which values of custom fields to set."""
        return {} if self.fields is UNSET else self.fields

    @property
    def change(self) -> ValuesChange:
        """Which values to set."""
        return ValuesChange(**_values_in(self))

    @property
    def values(self) -> StartingValues:
        """What a new template lets tasks start with."""
        return replace(LEFT_OPEN, **self.change.given())


class StartingSubtask(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A subtask that a task gets; `startIn` and `dueIn` are as those of the task."""

    title: Title
    status: StatusKey | None = None
    priority: Priority | None = None
    estimate: Estimate | None = None
    labels: FewLabels = ()
    assignees: FewAssignees = ()
    start_in: DaysLater | None = None
    due_in: DaysLater | None = None
    cycle_id: CycleId | None = None
    milestone_id: MilestoneId | None = None

    @property
    def subtask(self) -> Subtask:
        """The subtask as a command takes it."""
        return Subtask(title=self.title, values=StartingValues(**_values_in(self)))


StartingSubtasks = Annotated[tuple[StartingSubtask, ...], Meta(max_length=SUBTASKS_MAX)]


def _values_in(body: StartingTask | StartingSubtask) -> dict[str, Any]:
    """Return the values of a body by their names, each of several once."""
    told = {name: getattr(body, name) for name in StartingValues.__struct_fields__}
    for name in ("labels", "assignees"):
        if told[name] is not UNSET:
            told[name] = tuple(dict.fromkeys(told[name]))
    return told
