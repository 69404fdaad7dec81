"""Events of a project."""

from enum import StrEnum

from msgspec import field

from domain.base import Event, Personal, TeamId, UserId
from domain.work.workflow.events import Preset, WorkflowDefined


class ProjectStatus(StrEnum):
    """The status of a project. The values are stored, so they never change."""

    ACTIVE = "ACTIVE"
    ON_HOLD = "ON_HOLD"
    ARCHIVED = "ARCHIVED"


class Visibility(StrEnum):
    """Who sees a project. The values are stored, so they never change."""

    ORGANIZATION = "ORGANIZATION"
    PRIVATE = "PRIVATE"


class ProjectCreated(Event, frozen=True, kw_only=True, tag="project.created"):
    """A project was created."""

    key: str
    name: Personal
    description: Personal | None = None
    workflow: Preset = Preset.STANDARD
    lead_id: UserId | None = None
    team_id: TeamId | None = None
    visibility: Visibility = Visibility.ORGANIZATION
    created_by: UserId  # its first member


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

    sets = ("lead_id",)
    user_id: UserId | None


class ProjectTeamLinked(Event, frozen=True, kw_only=True, tag="project.team_linked"):
    """A project belongs to another team or, if null, to none."""

    sets = ("team_id",)
    team_id: TeamId | None


class ProjectVisibilityChanged(Event, frozen=True, kw_only=True, tag="project.visibility_changed"):
    """A project can be seen by the whole organization, or only by those who take part in it."""

    sets = ("visibility",)
    from_: Visibility = field(name="from")
    to: Visibility


class ProjectMemberAdded(Event, frozen=True, kw_only=True, tag="project.member_added"):
    """Somebody became a member of a project, and sees it if it is private."""

    user_id: UserId

    def field_keys(self) -> tuple[str, ...]:
        return (f"members:{self.user_id}",)


class ProjectMemberRemoved(Event, frozen=True, kw_only=True, tag="project.member_removed"):
    """Somebody is no longer a member of a project."""

    user_id: UserId

    def field_keys(self) -> tuple[str, ...]:
        return (f"members:{self.user_id}",)


class ProjectKeyChanged(Event, frozen=True, kw_only=True, tag="project.key_changed"):
    """The tasks of a project have another key; the old one keeps leading to them."""

    sets = ("key", "rekeyed")
    from_: str = field(name="from")
    to: str


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


class ProjectPurged(Event, frozen=True, kw_only=True, tag="project.purged"):
    """What the tasks of a project said, and its own texts, are gone for good."""

    sets = ("name", "description", "workflow", "deleted", "purged")


ProjectAccessEvent = (
    ProjectLeadAssigned
    | ProjectTeamLinked
    | ProjectVisibilityChanged
    | ProjectMemberAdded
    | ProjectMemberRemoved
)
"""What changes who sees a private project."""

ProjectEvent = (
    ProjectCreated
    | ProjectRenamed
    | ProjectDescribed
    | ProjectAccessEvent
    | ProjectKeyChanged
    | ProjectPutOnHold
    | ProjectResumed
    | ProjectArchived
    | ProjectUnarchived
    | ProjectDeleted
    | ProjectRestored
    | ProjectPurged
    | WorkflowDefined
)
