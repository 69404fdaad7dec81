"""Events of a project."""

from enum import StrEnum

from msgspec import field

from domain.base import Event, Personal, UserId


class ProjectStatus(StrEnum):
    """The status of a project. The values are stored, so they never change."""

    ACTIVE = "ACTIVE"
    ON_HOLD = "ON_HOLD"
    ARCHIVED = "ARCHIVED"


class ProjectCreated(Event, frozen=True, kw_only=True, tag="project.created"):
    """A project was created."""

    key: str
    name: Personal
    description: Personal | None = None
    workflow: str = "standard"
    lead: UserId | None = None
    created_by: UserId


class ProjectRenamed(Event, frozen=True, kw_only=True, tag="project.renamed"):
    """A project was renamed."""

    sets = ("name",)
    from_: Personal = field(name="from")
    to: Personal


class ProjectDescribed(Event, frozen=True, kw_only=True, tag="project.described"):
    """The description of a project was changed or (null) removed."""

    sets = ("description",)
    description: Personal | None


class ProjectLeadAssigned(Event, frozen=True, kw_only=True, tag="project.lead_assigned"):
    """A project has a new lead or, if null, none."""

    sets = ("lead",)
    user_id: UserId | None


class ProjectPutOnHold(Event, frozen=True, kw_only=True, tag="project.put_on_hold"):
    """A project was put on hold: no tasks can be created or started in it."""

    sets = ("status",)
    reason: Personal | None = None


class ProjectResumed(Event, frozen=True, kw_only=True, tag="project.resumed"):
    """A project on hold was resumed."""

    sets = ("status",)


class ProjectArchived(Event, frozen=True, kw_only=True, tag="project.archived"):
    """A project was archived: it can be read but no longer changed."""

    sets = ("status",)


class ProjectUnarchived(Event, frozen=True, kw_only=True, tag="project.unarchived"):
    """An archived project is active again."""

    sets = ("status",)


class ProjectDeleted(Event, frozen=True, kw_only=True, tag="project.deleted"):
    """A project was moved to the trash with all of its tasks."""

    sets = ("deleted",)


class ProjectRestored(Event, frozen=True, kw_only=True, tag="project.restored"):
    """A project was restored from the trash with its tasks, unchanged."""

    sets = ("deleted",)


ProjectEvent = (
    ProjectCreated
    | ProjectRenamed
    | ProjectDescribed
    | ProjectLeadAssigned
    | ProjectPutOnHold
    | ProjectResumed
    | ProjectArchived
    | ProjectUnarchived
    | ProjectDeleted
    | ProjectRestored
)
