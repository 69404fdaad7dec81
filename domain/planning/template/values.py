"""What tasks that are created from a template start with, as its events hold it."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from domain.base import CycleId, LabelId, MilestoneId, UserId
from domain.work.task.custom_field import FieldInput
from domain.work.task.events import Priority

SUBTASKS_MAX = 50
"""Subtasks of one template: all of them are created at once."""
DAYS_MAX = 3_650
"""Days after its creation on which a task starts, or is due: ten years."""


class StartingValues(
    Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False
):
    """What a task starts with; `startIn` and `dueIn` are days after the day of its creation."""

    status: str | None = None
    priority: Priority | None = None
    estimate: int | None = None
    labels: tuple[LabelId, ...] = ()
    assignees: tuple[UserId, ...] = ()
    start_in: int | None = None
    due_in: int | None = None
    cycle_id: CycleId | None = None
    milestone_id: MilestoneId | None = None


class Subtask(Struct, frozen=True, kw_only=True, gc=False):
    """A subtask that a task gets, and what that starts with."""

    title: str
    values: StartingValues = StartingValues()


LEFT_OPEN = StartingValues()
_encode = msgspec.json.Encoder().encode
_decode_values = msgspec.json.Decoder(StartingValues).decode
_decode_fields = msgspec.json.Decoder(dict[str, str | int | float | tuple[str, ...]]).decode


def values_text(values: StartingValues) -> str:
    """Return values as JSON."""
    return _encode(values).decode()


def values_from(text: str) -> StartingValues:
    """Return the values of which ``values_text`` made *text*."""
    return _decode_values(text)


def joined_fields(values: Mapping[str, FieldInput]) -> str | None:
    """Return the values of custom fields as an event holds them: as JSON, None for none."""
    exact = {key: _exact(value) for key, value in sorted(values.items())}
    return _encode(exact).decode() if exact else None


def field_inputs(text: str | None) -> dict[str, FieldInput | int]:
    """Return the values of custom fields that an event holds; none if they are erased."""
    if text is None:
        return {}
    try:
        return _decode_fields(text)
    except msgspec.DecodeError:
        return {}


def subtask_titles(subtasks: Sequence[Subtask]) -> str | None:
    """Return the titles of subtasks as an event holds them: one a line, None for none."""
    return "\n".join(each.title for each in subtasks) or None


def _exact(value: FieldInput | int) -> FieldInput | int:
    """Return a value as people write it: a whole number without a fraction."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
