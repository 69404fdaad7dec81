"""Events that put a task into a cycle, or towards a milestone, of its project."""

from msgspec import field

from domain.base import CycleId, Event, MilestoneId


class TaskCycleChanged(Event, frozen=True, kw_only=True, tag="task.cycle_changed"):
    """A task was put into a cycle or (null) into none."""

    sets = ("cycle_id",)
    from_: CycleId | None = field(name="from")
    to: CycleId | None


class TaskMilestoneChanged(Event, frozen=True, kw_only=True, tag="task.milestone_changed"):
    """A task was put towards a milestone or (null) towards none."""

    sets = ("milestone_id",)
    from_: MilestoneId | None = field(name="from")
    to: MilestoneId | None
