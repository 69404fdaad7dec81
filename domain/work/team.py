"""Team: members of an organization who work together, some of whom lead it.

Invariants
    1. A person is in a team at most once, as LEAD or as MEMBER.
    2. A team has at most ``TEAM_MEMBERS_MAX`` members.
    3. A deleted team can only be restored; its members come back with it.

Its name is unique in the organization (``domain/claim.py``).
"""

from enum import StrEnum
from typing import ClassVar, assert_never, get_args

from immutables import Map
from msgspec import Struct, field
from msgspec.structs import replace

from domain.base import ERASED, DomainError, Event, NotFound, Personal, Refusal, UserId

TEAM_MEMBERS_MAX = 500
"""As many as one response can show: a team is shown with its members."""


class TeamRole(StrEnum):
    """What somebody is in a team. The values are stored, so they never change."""

    LEAD = "LEAD"
    MEMBER = "MEMBER"


class TeamLeaveCause(StrEnum):
    """Why somebody is no longer in a team. The values are stored, so they never change."""

    REMOVED = "removed"
    LEFT = "left"
    LEFT_ORGANIZATION = "left_organization"


# Events ---------------------------------------------------------------------


class TeamCreated(Event, frozen=True, kw_only=True, tag="team.created"):
    """A team was created."""

    name: Personal
    created_by: UserId


class TeamRenamed(Event, frozen=True, kw_only=True, tag="team.renamed"):
    """A team was renamed."""

    sets = ("name",)
    from_: Personal = field(name="from")
    to: Personal


class TeamMemberAdded(Event, frozen=True, kw_only=True, tag="team.member_added"):
    """Somebody was added to a team."""

    user_id: UserId
    role: TeamRole

    def field_keys(self) -> tuple[str, ...]:
        return (f"members:{self.user_id}",)


class TeamRoleChanged(Event, frozen=True, kw_only=True, tag="team.role_changed"):
    """Somebody became a LEAD of their team, or is no longer one."""

    user_id: UserId
    from_: TeamRole = field(name="from")
    to: TeamRole

    def field_keys(self) -> tuple[str, ...]:
        return (f"members:{self.user_id}",)


class TeamMemberRemoved(Event, frozen=True, kw_only=True, tag="team.member_removed"):
    """Somebody is no longer in a team."""

    user_id: UserId
    cause: TeamLeaveCause

    def field_keys(self) -> tuple[str, ...]:
        return (f"members:{self.user_id}",)


class TeamDeleted(Event, frozen=True, kw_only=True, tag="team.deleted"):
    """A team was moved to the trash; its name is free."""

    sets = ("deleted",)


class TeamRestored(Event, frozen=True, kw_only=True, tag="team.restored"):
    """A team was restored from the trash with its members."""

    sets = ("deleted",)


class TeamPurged(Event, frozen=True, kw_only=True, tag="team.purged"):
    """The name of a team is gone for good; who was in it stays known."""

    sets = ("name", "deleted", "purged")


TeamEvent = (
    TeamCreated
    | TeamRenamed
    | TeamMemberAdded
    | TeamRoleChanged
    | TeamMemberRemoved
    | TeamDeleted
    | TeamRestored
    | TeamPurged
)


# State ----------------------------------------------------------------------


class Team(Struct, frozen=True, kw_only=True, gc=False):
    """What the rules below need to know about a team."""

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = get_args(TeamEvent)

    name: str = ""
    members: Map[UserId, TeamRole] = Map()
    created: bool = False
    deleted: bool = False
    purged: bool = False

    def evolve(self, event: TeamEvent) -> "Team":
        match event:
            case TeamCreated():
                return Team(name=event.name, created=True)
            case TeamRenamed():
                return replace(self, name=event.to)
            case TeamMemberAdded():
                return replace(self, members=self.members.set(event.user_id, event.role))
            case TeamRoleChanged():
                return replace(self, members=self.members.set(event.user_id, event.to))
            case TeamMemberRemoved():
                left = event.user_id in self.members
                members = self.members.delete(event.user_id) if left else self.members
                return replace(self, members=members)
            case TeamDeleted():
                return replace(self, deleted=True)
            case TeamRestored():
                return replace(self, deleted=False)
            case TeamPurged():
                return replace(self, name=ERASED, deleted=True, purged=True)
            case _:
                assert_never(event)

    # Decisions: each returns the events to record; an empty list means that nothing changes.

    def create(self, created: TeamCreated) -> list[TeamEvent]:
        """Create the team; a repeated call is a retry and records nothing."""
        return [] if self.created else [created]

    def rename(self, name: str) -> list[TeamEvent]:
        self.refuse_unless_here()
        return [] if name == self.name else [TeamRenamed(from_=self.name, to=name)]

    def add(self, user_id: UserId, role: TeamRole) -> list[TeamEvent]:
        """Add somebody, or change the role that they have."""
        self.refuse_unless_here()
        if user_id in self.members:
            return self.change_role(user_id, role)
        if len(self.members) >= TEAM_MEMBERS_MAX:
            raise TooManyTeamMembers(limit=TEAM_MEMBERS_MAX)
        return [TeamMemberAdded(user_id=user_id, role=role)]

    def change_role(self, user_id: UserId, to: TeamRole) -> list[TeamEvent]:
        self.refuse_unless_here()
        role = self.members.get(user_id)
        if role is None:
            raise NotFound
        return [] if role is to else [TeamRoleChanged(user_id=user_id, from_=role, to=to)]

    def remove(self, user_id: UserId, cause: TeamLeaveCause) -> list[TeamEvent]:
        self.refuse_unless_here()
        if user_id not in self.members:
            return []
        return [TeamMemberRemoved(user_id=user_id, cause=cause)]

    def delete(self) -> list[TeamEvent]:
        self.refuse_unless_here()
        return [TeamDeleted()]

    def restore(self) -> list[TeamEvent]:
        if not self.created or self.purged:
            raise NotFound
        return [TeamRestored()] if self.deleted else []

    def refuse_unless_here(self) -> None:
        """Raise NotFound if the team was never created or is in the trash."""
        if not self.is_here:
            raise NotFound

    @property
    def is_here(self) -> bool:
        """Whether the team was created and is not in the trash."""
        return self.created and not self.deleted

    def has(self, user_id: UserId) -> bool:
        """Return whether *user_id* is in the team; nobody is in a deleted one."""
        return not self.deleted and user_id in self.members

    def is_led_by(self, user_id: UserId) -> bool:
        """Return whether *user_id* is a LEAD of the team; a deleted one has none."""
        return not self.deleted and self.members.get(user_id) is TeamRole.LEAD


# Errors ---------------------------------------------------------------------


class TooManyTeamMembers(DomainError):
    """A team can have at most 500 members. Remove one first."""

    code = "too_many_team_members"
    refusal = Refusal.CONFLICT
