"""What the events of saved views reserve: their names, among the views that somebody has."""

from uuid import UUID, uuid5

from commands.happening import Fingerprint, Happening, Reservations, Rule
from domain.base import Event, OrgId
from domain.name import folded
from domain.planning.view import (
    SavedView,
    ViewCreated,
    ViewDeleted,
    ViewNameTaken,
    ViewPurged,
    ViewRenamed,
    ViewRestored,
    ViewShared,
    ViewUnshared,
)
from eventstore.claim import ClaimChange, ClaimKey

VIEW_NAME = "view name"


def view_name_claim(fingerprint: Fingerprint, org_id: OrgId, view: SavedView) -> ClaimKey:
    """Return the claim on the name of a view: among shared ones, or the private ones of its owner.

    Those of a project and those of the organization do not meet.
    """
    place: UUID = view.project_id or org_id
    if not view.shared:
        place = uuid5(place, f"views of {view.created_by}")
    return ClaimKey(org_id, VIEW_NAME, place, fingerprint(VIEW_NAME, folded(view.name)))


def _named(happened: Happening, reserved: Reservations) -> None:
    """Hold the name that a view has after the event, and free the one that it had before."""
    before: SavedView = happened.before
    after = before.evolve(happened.event)
    old, new = (_claim(happened, view) for view in (before, after))
    if old == new:
        return
    if new is not None:
        taken = ViewNameTaken(name=after.name)
        reserved.claims.append(ClaimChange(new, happened.stream, taken))
    if old is not None:
        reserved.claims.append(ClaimChange(old, happened.stream, release=True))


def _claim(happened: Happening, view: SavedView) -> ClaimKey | None:
    if view.created_at is None or view.deleted:
        return None
    return view_name_claim(happened.fingerprint, happened.org_id, view)


VIEW_RULES: dict[type[Event], Rule] = dict.fromkeys(
    (
        ViewCreated,
        ViewRenamed,
        ViewShared,
        ViewUnshared,
        ViewDeleted,
        ViewRestored,
        ViewPurged,
    ),
    _named,
)
"""The rule of each kind of event that changes where which name is taken."""
