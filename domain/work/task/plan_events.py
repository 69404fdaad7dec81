"""Events that put a task into a cycle, or towards a milestone, of its project."""

from msgspec import field

from domain.base import CycleId, Event, MilestoneId


class TaskCycleChanged(
    Event, frozen=True, kw_only=True, omit_defaults=True, tag="task.cycle_changed"
):
    """A task was put into a cycle or (null) into none."""

    sets = ("cycle_id",)
    hidden = ("belowTrash",)
    from_: CycleId | None = field(name="from")
    to: CycleId | None
    below_trash: bool = False  # whether a task above it is in the trash


class TaskMilestoneChanged(
    Event, frozen=True, kw_only=True, omit_defaults=True, tag="task.milestone_changed"
):
    """A task was put towards a milestone or (null) towards none."""

    sets = ("milestone_id",)
    hidden = ("belowTrash",)
    from_: MilestoneId | None = field(name="from")
    to: MilestoneId | None
    below_trash: bool = False
