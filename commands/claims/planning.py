"""What the events of planning reserve: names and days, and nothing from the trash for a task.

A cycle and a milestone count their tasks: all of them, and those that are open.
"""

from datetime import date
from uuid import UUID

from commands.claims.names import UniqueNames, part_in_trash
from commands.happening import Happening, Reservations, Rule
from commands.plan_counts import count, fields_in
from domain.base import Event, NotFound, OrgId
from domain.identity.plan import Countable
from domain.planning.cycle import (
    CycleCreated,
    CycleDeleted,
    CycleNameTaken,
    CyclePurged,
    CycleRenamed,
    CycleRescheduled,
    CycleRestored,
    CyclesOverlap,
)
from domain.planning.field import (
    FieldCreated,
    FieldDeleted,
    FieldNameTaken,
    FieldNotInUse,
    FieldOptionsChanged,
    FieldPurged,
    FieldRenamed,
    FieldRestored,
    stream_of_field,
)
from domain.planning.milestone import (
    MilestoneCreated,
    MilestoneDeleted,
    MilestoneNameTaken,
    MilestonePurged,
    MilestoneRenamed,
    MilestoneRestored,
)
from domain.work.task.custom_field import TaskFieldSet, options_in
from domain.work.task.events import TaskDeleted, TaskRestored, TaskStatusChanged
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged
from domain.work.workflow.events import FINISHED
from eventstore.claim import ClaimChange, ClaimKey, CountChange, CountKey

FIELDS = UniqueNames("field name", FieldNameTaken)
CYCLES = UniqueNames("cycle name", CycleNameTaken)
MILESTONES = UniqueNames("milestone name", MilestoneNameTaken)


def cycle_day_claim(org_id: OrgId, project_id: UUID, day: date) -> ClaimKey:
    """Return the claim on a day of a project, which one cycle of it can have."""
    return ClaimKey(org_id, "cycle day", project_id, day.isoformat().encode())


def option_retired(org_id: OrgId, field_id: UUID, option: str) -> CountKey:
    """Return the count that is 1 while an option of a custom field is retired, else 0."""
    return CountKey(org_id, f"option {option} retired", field_id)


def planned_tasks(org_id: OrgId, part: UUID) -> CountKey:
    """Return the count of the tasks of a cycle or a milestone that are not in the trash."""
    return CountKey(org_id, "planned tasks", part)


def planned_open_tasks(org_id: OrgId, part: UUID) -> CountKey:
    """Return the count of those of them that are open."""
    return CountKey(org_id, "planned open tasks", part)


# Custom fields --------------------------------------------------------------


def _field_created(happened: Happening, reserved: Reservations) -> None:
    FIELDS.created(happened, reserved)
    _count_field(1, happened, reserved)


def _field_options_changed(happened: Happening, reserved: Reservations) -> None:
    before = {*happened.before.retired}
    after = {one.key for one in happened.event.options if one.retired}
    for key in sorted(before ^ after):
        counted = option_retired(happened.org_id, happened.stream, key)
        reserved.counts.append(CountChange(counted, 1 if key in after else -1))


def _field_deleted(happened: Happening, reserved: Reservations) -> None:
    FIELDS.deleted(happened, reserved)
    _count_field(-1, happened, reserved)


def _field_restored(happened: Happening, reserved: Reservations) -> None:
    FIELDS.restored(happened, reserved)
    _count_field(1, happened, reserved)


def _count_field(by: int, happened: Happening, reserved: Reservations) -> None:
    count(Countable.CUSTOM_FIELDS, by, happened, reserved)
    inside = fields_in(happened.org_id, happened.event.project_id)
    reserved.counts.append(CountChange(inside, by))


def _value_set(happened: Happening, reserved: Reservations) -> None:
    event, org_id = happened.event, happened.org_id
    if event.to is None:
        return  # a value can always be removed
    field_id = stream_of_field(happened.before.project_id, event.key)
    zero = [part_in_trash(org_id, field_id)]
    zero += [option_retired(org_id, field_id, each) for each in options_in(event)]
    reserved.counts += [
        CountChange(each, 0, limit=0, refusal=lambda _: FieldNotInUse(key=event.key))
        for each in zero
    ]


# Cycles and milestones ------------------------------------------------------


def _cycle_created(happened: Happening, reserved: Reservations) -> None:
    CYCLES.created(happened, reserved)
    _hold(happened, frozenset(), happened.event.dates.days, reserved)


def _cycle_rescheduled(happened: Happening, reserved: Reservations) -> None:
    _hold(happened, happened.event.from_.days, happened.event.to.days, reserved)


def _cycle_deleted(happened: Happening, reserved: Reservations) -> None:
    CYCLES.deleted(happened, reserved)
    _hold(happened, happened.before.dates.days, frozenset(), reserved)


def _cycle_restored(happened: Happening, reserved: Reservations) -> None:
    CYCLES.restored(happened, reserved)
    _hold(happened, frozenset(), happened.before.dates.days, reserved)


def _purged(free: Rule) -> Rule:
    """Return the rule of a purge: what its project took along gives up what it still has."""

    def rule(happened: Happening, reserved: Reservations) -> None:
        if not happened.before.deleted:
            free(happened, reserved)

    return rule


def _hold(
    happened: Happening, before: frozenset[date], after: frozenset[date], reserved: Reservations
) -> None:
    """Take the days of a cycle that it has not had, and release those that it has no longer."""
    org_id, project_id = happened.org_id, happened.event.project_id
    for day in sorted(before ^ after):
        claim = cycle_day_claim(org_id, project_id, day)
        if day in after:
            change = ClaimChange(claim, happened.stream, CyclesOverlap(day=day))
        else:
            change = ClaimChange(claim, happened.stream, release=True)
        reserved.claims.append(change)


def _put(happened: Happening, reserved: Reservations) -> None:
    """Count a task in another cycle, or towards another milestone, than before."""
    event, task = happened.event, happened.before
    if event.to is not None:
        zero = part_in_trash(happened.org_id, event.to)
        reserved.counts.append(CountChange(zero, 0, limit=0, refusal=lambda _: NotFound()))
    if task.deleted or event.below_trash:
        return
    is_open = task.group not in FINISHED
    _count(happened.org_id, event.from_, -1, -is_open, reserved)
    _count(happened.org_id, event.to, 1, int(is_open), reserved)


def _status_changed(happened: Happening, reserved: Reservations) -> None:
    event, task = happened.event, happened.before
    change = (event.to_group not in FINISHED) - (task.group not in FINISHED)
    if change and not task.deleted:
        for part in (task.cycle_id, task.milestone_id):
            _count(happened.org_id, part, 0, change, reserved)


def _trashed(happened: Happening, reserved: Reservations) -> None:
    task, by = happened.before, -1 if isinstance(happened.event, TaskDeleted) else 1
    for part in (task.cycle_id, task.milestone_id):
        _count(happened.org_id, part, by, by * (task.group not in FINISHED), reserved)
    for each in happened.event.planned:  # what is hidden with it, or shown again
        _count(happened.org_id, each.part, by * each.tasks, by * each.open, reserved)


def _count(
    org_id: OrgId, part: UUID | None, tasks: int, unfinished: int, reserved: Reservations
) -> None:
    if part is None:
        return
    for counted, by in ((planned_tasks, tasks), (planned_open_tasks, unfinished)):
        if by:
            reserved.counts.append(CountChange(counted(org_id, part), by))


PLANNING_RULES: dict[type[Event], Rule] = {
    FieldCreated: _field_created,
    FieldRenamed: FIELDS.renamed,
    FieldOptionsChanged: _field_options_changed,
    FieldDeleted: _field_deleted,
    FieldRestored: _field_restored,
    FieldPurged: _purged(FIELDS.deleted),
    TaskFieldSet: _value_set,
    CycleCreated: _cycle_created,
    CycleRenamed: CYCLES.renamed,
    CycleRescheduled: _cycle_rescheduled,
    CycleDeleted: _cycle_deleted,
    CycleRestored: _cycle_restored,
    CyclePurged: _purged(_cycle_deleted),
    MilestoneCreated: MILESTONES.created,
    MilestoneRenamed: MILESTONES.renamed,
    MilestoneDeleted: MILESTONES.deleted,
    MilestoneRestored: MILESTONES.restored,
    MilestonePurged: _purged(MILESTONES.deleted),
    TaskCycleChanged: _put,
    TaskMilestoneChanged: _put,
}
"""The rule of each kind of event of planning, and of those that use what is planned."""

PLANNED_RULES: dict[type[Event], Rule] = {
    TaskStatusChanged: _status_changed,
    TaskDeleted: _trashed,
    TaskRestored: _trashed,
}
"""What events of tasks change in what is planned, besides their own rules.

A move changes nothing: open tasks are open in the other project too (``Workflow.place``).
"""
