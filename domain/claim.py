"""Claim: one stream for one value that must be unique, such as an e-mail address.

The stream's id is derived from the value, so two claims of one value collide on the stream's
first version and the log itself lets exactly one of them in.

Invariants
    1. A claim has one holder at a time.
    2. Only the holder's release frees it; a task number is never freed.
"""

from functools import lru_cache
from typing import ClassVar, assert_never
from uuid import UUID, uuid5

from msgspec import Struct

from domain.base import DomainError, Event, OrgId, ProjectId

CLAIMS_REMEMBERED = 4096
_NAMESPACE = UUID("6f0c1f5e-52a0-5d4b-9a53-0d6f7c1f4a11")


# Events ---------------------------------------------------------------------


class EmailClaimed(Event, frozen=True, kw_only=True, tag="email.claimed"):
    """An account took an e-mail address."""

    holder: UUID


class EmailReleased(Event, frozen=True, kw_only=True, tag="email.released"):
    """An account gave up an e-mail address."""


class SubdomainClaimed(Event, frozen=True, kw_only=True, tag="subdomain.claimed"):
    """An organization took a subdomain."""

    holder: UUID


class SubdomainReleased(Event, frozen=True, kw_only=True, tag="subdomain.released"):
    """An organization gave up a subdomain."""


class ProjectKeyClaimed(Event, frozen=True, kw_only=True, tag="project_key.claimed"):
    """A project took a key such as ENG; old keys stay claimed and keep leading to it."""

    holder: UUID


class TaskNumberClaimed(Event, frozen=True, kw_only=True, tag="task_number.claimed"):
    """A task took the next number of its project."""

    holder: UUID


ClaimEvent = (
    EmailClaimed
    | EmailReleased
    | SubdomainClaimed
    | SubdomainReleased
    | ProjectKeyClaimed
    | TaskNumberClaimed
)


# State ----------------------------------------------------------------------


class Claim(Struct, frozen=True, gc=False):
    """Who holds a value inside one organization, or nobody."""

    platform: ClassVar[bool] = False

    holder: UUID | None = None

    def evolve(self, event: ClaimEvent) -> "Claim":
        match event:
            case TaskNumberClaimed() | EmailClaimed() | SubdomainClaimed() | ProjectKeyClaimed():
                return Claim(event.holder)
            case EmailReleased() | SubdomainReleased():
                return Claim()
            case _:
                assert_never(event)


class PlatformClaim(Claim, frozen=True, gc=False):
    """A claim that is unique across all organizations: e-mail address, subdomain."""

    platform: ClassVar[bool] = True

    def evolve(self, event: ClaimEvent) -> "PlatformClaim":
        return PlatformClaim(super().evolve(event).holder)


def subdomain_claim(subdomain: str) -> UUID:
    """Return the stream of the claim on *subdomain* (already lower case)."""
    return uuid5(_NAMESPACE, f"subdomain/{subdomain}")


def project_key_claim(org_id: OrgId, key: str) -> UUID:
    """Return the stream of the claim on *key* (already upper case) in its organization."""
    return uuid5(_NAMESPACE, f"project-key/{org_id.hex}/{key}")


@lru_cache(CLAIMS_REMEMBERED)  # each number is looked at twice: when taken, and by the next
def task_number_claim(project_id: ProjectId, number: int) -> UUID:
    """Return the stream of the claim on task *number* of a project."""
    return uuid5(_NAMESPACE, f"task-number/{project_id.hex}/{number}")


# Errors ---------------------------------------------------------------------


class EmailTaken(DomainError):
    """An account with this e-mail address already exists; log in instead."""

    code = "email_taken"


class SubdomainTaken(DomainError):
    """Another organization uses this subdomain; choose a different one."""

    code = "subdomain_taken"


class ProjectKeyTaken(DomainError):
    """Another project of this organization uses or used this key; choose a different one."""

    code = "project_key_taken"
