"""What takes back each event of cycles, milestones, custom fields and saved views."""

from collections.abc import Iterable

from commands.base import Command
from commands.planning.cycle import DeleteCycle, EditCycle, RestoreCycle
from commands.planning.field import DeleteField, EditField, RestoreField
from commands.planning.milestone import DeleteMilestone, EditMilestone, RestoreMilestone
from commands.planning.view import DeleteView, EditView, RestoreView
from commands.undo.changed import (
    NOT_BROUGHT_BACK,
    Answer,
    Changed,
    Inverse,
    refuse_unless_unchanged,
    setting,
    trashing,
)
from domain.base import Event
from domain.planning.criteria import criteria_from
from domain.planning.cycle import (
    CycleCreated,
    CycleDeleted,
    CyclePurged,
    CycleRenamed,
    CycleRescheduled,
    CycleRestored,
)
from domain.planning.field import (
    Field,
    FieldCreated,
    FieldDeleted,
    FieldOptionsChanged,
    FieldPurged,
    FieldRenamed,
    FieldRestored,
    Option,
)
from domain.planning.milestone import (
    MilestoneCreated,
    MilestoneDated,
    MilestoneDeleted,
    MilestonePurged,
    MilestoneRenamed,
    MilestoneRestored,
)
from domain.planning.view import (
    ViewColumnsChanged,
    ViewCreated,
    ViewDeleted,
    ViewFiltered,
    ViewPurged,
    ViewRenamed,
    ViewRestored,
    ViewShared,
    ViewSorted,
    ViewUnshared,
)


def _offered(field: Field) -> tuple[Option, ...]:
    named = zip(field.options, field.option_names, strict=True)
    return tuple(Option(key=key, name=name) for key, name in named if key not in field.retired)


def _options(changed: Changed) -> Iterable[Command]:
    """Return what offers the earlier options; those that are new since are retired."""
    was, given, now = map(_offered, (changed.before, changed.after, changed.now))
    if now == was:
        return []
    refuse_unless_unchanged(was, given, now)
    return [EditField(field_id=changed.stream, options=was)]


def _filter(changed: Changed) -> Iterable[Command]:
    if not changed.earlier("criteria", "values"):
        return []
    was = changed.before
    criteria = criteria_from(was.criteria)
    return [EditView(view_id=changed.stream, criteria=criteria, values=was.values)]


_CYCLE_AWAY, _CYCLE_BACK = trashing(
    lambda changed: DeleteCycle(cycle_id=changed.stream),
    lambda changed: RestoreCycle(cycle_id=changed.stream),
)
_MILESTONE_AWAY, _MILESTONE_BACK = trashing(
    lambda changed: DeleteMilestone(milestone_id=changed.stream),
    lambda changed: RestoreMilestone(milestone_id=changed.stream),
)
_FIELD_AWAY, _FIELD_BACK = trashing(
    lambda changed: DeleteField(field_id=changed.stream),
    lambda changed: RestoreField(field_id=changed.stream),
)
_VIEW_AWAY, _VIEW_BACK = trashing(
    lambda changed: DeleteView(view_id=changed.stream),
    lambda changed: RestoreView(view_id=changed.stream),
)
_SHARED: Answer = (setting(EditView, "view_id", "shared"),)

OF_PLANS: dict[type[Event], Answer] = {
    CycleCreated: _CYCLE_AWAY,
    CycleRenamed: (setting(EditCycle, "cycle_id", "name"),),
    CycleRescheduled: (setting(EditCycle, "cycle_id", "starts_on", "ends_on"),),
    CycleDeleted: _CYCLE_BACK,
    CycleRestored: _CYCLE_AWAY,
    CyclePurged: NOT_BROUGHT_BACK,
    MilestoneCreated: _MILESTONE_AWAY,
    MilestoneRenamed: (setting(EditMilestone, "milestone_id", "name"),),
    MilestoneDated: (setting(EditMilestone, "milestone_id", "due_on"),),
    MilestoneDeleted: _MILESTONE_BACK,
    MilestoneRestored: _MILESTONE_AWAY,
    MilestonePurged: NOT_BROUGHT_BACK,
    FieldCreated: _FIELD_AWAY,
    FieldRenamed: (setting(EditField, "field_id", "name"),),
    FieldOptionsChanged: (Inverse("options", _options),),
    FieldDeleted: _FIELD_BACK,
    FieldRestored: _FIELD_AWAY,
    FieldPurged: NOT_BROUGHT_BACK,
    ViewCreated: _VIEW_AWAY,
    ViewRenamed: (setting(EditView, "view_id", "name"),),
    ViewShared: _SHARED,
    ViewUnshared: _SHARED,
    ViewFiltered: (Inverse("filter", _filter),),
    ViewSorted: (setting(EditView, "view_id", "sort"),),
    ViewColumnsChanged: (setting(EditView, "view_id", "columns"),),
    ViewDeleted: _VIEW_BACK,
    ViewRestored: _VIEW_AWAY,
    ViewPurged: NOT_BROUGHT_BACK,
}
"""What takes back each event of the plan of a project and of saved views."""
