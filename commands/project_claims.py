"""The claims of projects and teams: keys, names, and which projects are private."""

from uuid import UUID

from commands.happening import Fingerprint, Happening, Reservations, Rule
from commands.plan_counts import count, counting, fields_in, tasks_in
from domain.base import Event, OrgId
from domain.claim import ProjectKeyTaken, TeamNameTaken
from domain.identity.plan import Countable
from domain.name import folded
from domain.work.project.events import (
    ProjectArchived,
    ProjectCreated,
    ProjectDeleted,
    ProjectKeyChanged,
    ProjectRestored,
    ProjectStatus,
    ProjectUnarchived,
    ProjectVisibilityChanged,
    Visibility,
)
from domain.work.team import TeamCreated, TeamDeleted, TeamPurged, TeamRenamed, TeamRestored
from eventstore.claim import ClaimChange, ClaimKey

PROJECT_KEY, PRIVATE_PROJECT, TEAM_NAME = "project key", "private project", "team name"


def project_key_claim(org_id: OrgId, key: str) -> ClaimKey:
    """Return the claim on a project key, in upper case."""
    return ClaimKey(org_id, PROJECT_KEY, org_id, key.encode())


def private_project_claim(org_id: OrgId, project_id: UUID) -> ClaimKey:
    """Return the claim that a project has while it is private, by which those are found."""
    return ClaimKey(org_id, PRIVATE_PROJECT, org_id, project_id.bytes)


def team_name_claim(fingerprint: Fingerprint, org_id: OrgId, name: str) -> ClaimKey:
    """Return the claim on the name of a team; the name itself is not stored."""
    return ClaimKey(org_id, TEAM_NAME, org_id, fingerprint(TEAM_NAME, folded(name)))


# One rule per kind of event -------------------------------------------------


def _project_created(happened: Happening, reserved: Reservations) -> None:
    _take_key(happened, happened.event.key, reserved)
    count(Countable.PROJECTS, 1, happened, reserved)
    if happened.event.visibility is Visibility.PRIVATE:
        _note_private(happened, reserved, private=True)


def _key_changed(happened: Happening, reserved: Reservations) -> None:
    _take_key(happened, happened.event.to, reserved)  # the old one is kept


def _take_key(happened: Happening, key: str, reserved: Reservations) -> None:
    claim = project_key_claim(happened.org_id, key)
    reserved.claims.append(ClaimChange(claim, happened.stream, ProjectKeyTaken(key=key)))


def _visibility_changed(happened: Happening, reserved: Reservations) -> None:
    _note_private(happened, reserved, private=happened.event.to is Visibility.PRIVATE)


def _note_private(happened: Happening, reserved: Reservations, *, private: bool) -> None:
    claim = private_project_claim(happened.org_id, happened.stream)
    reserved.claims.append(ClaimChange(claim, happened.stream, release=not private))


def _project_trashed(happened: Happening, reserved: Reservations) -> None:
    """Count a project, with its tasks and custom fields, out or in: all of them or none."""
    project, by = happened.before, -1 if isinstance(happened.event, ProjectDeleted) else 1
    org_id, project_id = happened.org_id, happened.stream
    if project.status is not ProjectStatus.ARCHIVED:
        count(Countable.PROJECTS, by, happened, reserved)
    keys = sorted({*project.workflow.by_key, *project.workflow.moved})
    tasks = tuple(tasks_in(org_id, project_id, key) for key in keys)
    count(Countable.TASKS, by, happened, reserved, tasks)
    fields = (fields_in(org_id, project_id),)
    count(Countable.CUSTOM_FIELDS, by, happened, reserved, fields)


def _team_created(happened: Happening, reserved: Reservations) -> None:
    _name(happened, happened.event.name, reserved)
    count(Countable.TEAMS, 1, happened, reserved)


def _team_renamed(happened: Happening, reserved: Reservations) -> None:
    event = happened.event
    if folded(event.from_) != folded(event.to):
        _name(happened, event.to, reserved)
        _name(happened, event.from_, reserved, release=True)


def _team_deleted(happened: Happening, reserved: Reservations) -> None:
    _name(happened, happened.before.name, reserved, release=True)
    count(Countable.TEAMS, -1, happened, reserved)


def _team_purged(happened: Happening, reserved: Reservations) -> None:
    if not happened.before.deleted:  # its organization took it along
        _team_deleted(happened, reserved)


def _team_restored(happened: Happening, reserved: Reservations) -> None:
    _name(happened, happened.before.name, reserved)
    count(Countable.TEAMS, 1, happened, reserved)


def _name(happened: Happening, name: str, reserved: Reservations, *, release: bool = False) -> None:
    claim = team_name_claim(happened.fingerprint, happened.org_id, name)
    taken = None if release else TeamNameTaken()
    reserved.claims.append(ClaimChange(claim, happened.stream, taken, release=release))


PROJECT_RULES: dict[type[Event], Rule] = {
    ProjectCreated: _project_created,
    ProjectKeyChanged: _key_changed,
    ProjectVisibilityChanged: _visibility_changed,
    ProjectArchived: counting(Countable.PROJECTS, -1),
    ProjectUnarchived: counting(Countable.PROJECTS, 1),
    ProjectDeleted: _project_trashed,
    ProjectRestored: _project_trashed,
    TeamCreated: _team_created,
    TeamRenamed: _team_renamed,
    TeamDeleted: _team_deleted,
    TeamRestored: _team_restored,
    TeamPurged: _team_purged,
}
"""The rule of each kind of event of projects and teams."""
