"""What the events of planning reserve: unique names, and nothing from the trash for a task."""

from uuid import UUID

from commands.happening import Fingerprint, Happening, Reservations, Rule
from commands.plan_counts import count
from domain.base import Event, OrgId
from domain.identity.plan import Countable
from domain.name import folded
from domain.planning.field import (
    FieldCreated,
    FieldDeleted,
    FieldNameTaken,
    FieldNotInUse,
    FieldOptionsChanged,
    FieldRenamed,
    FieldRestored,
    stream_of_field,
)
from domain.work.task.custom_field import TaskFieldSet, options_in
from eventstore.claim import ClaimChange, ClaimKey, CountChange, CountKey

FIELD_NAME, FIELDS_IN_TRASH = "field name", "fields in the trash"


def field_name_claim(
    fingerprint: Fingerprint, org_id: OrgId, project_id: UUID, name: str
) -> ClaimKey:
    """Return the claim on the name of a custom field in its project."""
    return ClaimKey(org_id, FIELD_NAME, project_id, fingerprint(FIELD_NAME, folded(name)))


def field_in_trash(org_id: OrgId, field_id: UUID) -> CountKey:
    """Return the count that is 1 while a custom field is in the trash, else 0."""
    return CountKey(org_id, FIELDS_IN_TRASH, field_id)


def option_retired(org_id: OrgId, field_id: UUID, option: str) -> CountKey:
    """Return the count that is 1 while an option of a custom field is retired, else 0."""
    return CountKey(org_id, f"option {option} retired", field_id)


def _field_created(happened: Happening, reserved: Reservations) -> None:
    _take(happened, happened.event.name, reserved)
    count(Countable.CUSTOM_FIELDS, 1, happened, reserved)


def _field_renamed(happened: Happening, reserved: Reservations) -> None:
    event = happened.event
    if folded(event.from_) != folded(event.to):
        _take(happened, event.to, reserved)
        _release(happened, event.from_, reserved)


def _field_options_changed(happened: Happening, reserved: Reservations) -> None:
    before = {*happened.before.retired}
    after = {one.key for one in happened.event.options if one.retired}
    for key in sorted(before ^ after):
        counted = option_retired(happened.org_id, happened.stream, key)
        reserved.counts.append(CountChange(counted, 1 if key in after else -1))


def _field_deleted(happened: Happening, reserved: Reservations) -> None:
    _release(happened, happened.before.name, reserved)
    reserved.counts.append(CountChange(field_in_trash(happened.org_id, happened.stream), 1))
    count(Countable.CUSTOM_FIELDS, -1, happened, reserved)


def _field_restored(happened: Happening, reserved: Reservations) -> None:
    _take(happened, happened.before.name, reserved)
    reserved.counts.append(CountChange(field_in_trash(happened.org_id, happened.stream), -1))
    count(Countable.CUSTOM_FIELDS, 1, happened, reserved)


def _value_set(happened: Happening, reserved: Reservations) -> None:
    event, org_id = happened.event, happened.org_id
    if event.to is None:
        return  # a value can always be removed
    field_id = stream_of_field(happened.before.project_id, event.key)
    zero = [field_in_trash(org_id, field_id)]
    zero += [option_retired(org_id, field_id, each) for each in options_in(event)]
    reserved.counts += [
        CountChange(each, 0, limit=0, refusal=lambda _: FieldNotInUse(key=event.key))
        for each in zero
    ]


def _take(happened: Happening, name: str, reserved: Reservations) -> None:
    project_id = happened.event.project_id
    claim = field_name_claim(happened.fingerprint, happened.org_id, project_id, name)
    reserved.claims.append(ClaimChange(claim, happened.stream, FieldNameTaken(name=name)))


def _release(happened: Happening, name: str, reserved: Reservations) -> None:
    project_id = happened.event.project_id
    claim = field_name_claim(happened.fingerprint, happened.org_id, project_id, name)
    reserved.claims.append(ClaimChange(claim, happened.stream, release=True))


PLANNING_RULES: dict[type[Event], Rule] = {
    FieldCreated: _field_created,
    FieldRenamed: _field_renamed,
    FieldOptionsChanged: _field_options_changed,
    FieldDeleted: _field_deleted,
    FieldRestored: _field_restored,
    TaskFieldSet: _value_set,
}
"""The rule of each kind of event of planning, and of those that use what is planned."""
