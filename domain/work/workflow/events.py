"""The parts of a workflow, and the event that defines one."""

from enum import StrEnum
from typing import Annotated

from msgspec import Struct, field

from domain.base import Event, Personal
from domain.patterned import patterned


class StatusGroup(StrEnum):
    """What a status means, whatever a project calls it. The values are stored."""

    TODO = "TODO"
    IN_PROGRESS = "IN_PROGRESS"
    IN_REVIEW = "IN_REVIEW"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


StatusKey = Annotated[
    str, patterned(r"^[A-Z][A-Z0-9_]{0,31}$", "the key of a status, such as IN_PROGRESS")
]
"""1-32 capital letters, digits and underscores, beginning with a letter."""

FINISHED = frozenset({StatusGroup.DONE, StatusGroup.CANCELLED})
"""The groups of tasks that are finished; those in the others are open."""

STARTED = frozenset({StatusGroup.IN_PROGRESS, StatusGroup.IN_REVIEW})
"""The groups that no task can enter while its project is on hold."""


class Guard(StrEnum):
    """What a transition requires of the task. The values are stored."""

    NO_OPEN_BLOCKER = "no_open_blocker"
    NO_OPEN_SUBTASK = "no_open_subtask"


class Preset(StrEnum):
    """A workflow that projects can have without defining one of their own. Stored."""

    STANDARD = "standard"
    FREE = "free"


class StatusRule(Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """A status without its name; ``wip_limit`` is how many tasks a board should show in it."""

    key: str
    group: StatusGroup
    wip_limit: int | None = None


class Transition(Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """A step that tasks may take from one status to another, and what it requires."""

    from_: str = field(name="from")
    to: str
    guards: tuple[Guard, ...] = ()


class WorkflowDefined(
    Event, frozen=True, kw_only=True, omit_defaults=True, tag="project.workflow_defined"
):
    """The workflow of a project was replaced.

    `version` is the version of the project at this event, `names` are those of the statuses, one a
    line. `moved` maps statuses that are gone to those that their tasks have now.
    """

    sets = ("workflow",)
    version: int
    statuses: tuple[StatusRule, ...]
    names: Personal
    transitions: tuple[Transition, ...]
    moved: dict[str, str] = field(default_factory=dict[str, str])
