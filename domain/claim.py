"""Claim: a stream that keeps one value unique, such as an e-mail address.

The stream's id is derived from the value. Two claims of the same value therefore write the same
version of the same stream, and the log accepts only one of them.

Invariants
    1. A claim has one holder at a time.
    2. Only its holder can release it; a task number is never released.
"""

from functools import lru_cache
from typing import ClassVar, assert_never, get_args
from uuid import UUID, uuid5

from msgspec import Struct

from domain.base import DomainError, Event, OrgId, ProjectId

CLAIMS_REMEMBERED = 4096
_NAMESPACE = UUID("6f0c1f5e-52a0-5d4b-9a53-0d6f7c1f4a11")


# Events ---------------------------------------------------------------------


class EmailClaimed(Event, frozen=True, kw_only=True, tag="email.claimed"):
    """An account claimed an e-mail address."""

    holder: UUID


class EmailReleased(Event, frozen=True, kw_only=True, tag="email.released"):
    """An account released its e-mail address."""


class SubdomainClaimed(Event, frozen=True, kw_only=True, tag="subdomain.claimed"):
    """An organization claimed a subdomain."""

    holder: UUID


class SubdomainReleased(Event, frozen=True, kw_only=True, tag="subdomain.released"):
    """An organization released its subdomain."""


class ProjectKeyClaimed(Event, frozen=True, kw_only=True, tag="project_key.claimed"):
    """A project claimed a key such as ENG. Keys are never released."""

    holder: UUID


class TaskNumberClaimed(Event, frozen=True, kw_only=True, tag="task_number.claimed"):
    """A task claimed the next number in its project."""

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
    """Who holds a value within one organization; None if nobody does."""

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = get_args(ClaimEvent)

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
    """A claim that is unique across all organizations: an e-mail address or a subdomain."""

    platform: ClassVar[bool] = True

    def evolve(self, event: ClaimEvent) -> "PlatformClaim":
        return PlatformClaim(super().evolve(event).holder)


def subdomain_claim(subdomain: str) -> UUID:
    """Return the stream of the claim on *subdomain* (already in lower case)."""
    return uuid5(_NAMESPACE, f"subdomain/{subdomain}")


def project_key_claim(org_id: OrgId, key: str) -> UUID:
    """Return the stream of the claim on *key* (already in upper case) in an organization."""
    return uuid5(_NAMESPACE, f"project-key/{org_id.hex}/{key}")


@lru_cache(CLAIMS_REMEMBERED)  # each number is looked up twice: when claimed and for the next task
def task_number_claim(project_id: ProjectId, number: int) -> UUID:
    """Return the stream of the claim on a project's task *number*."""
    return uuid5(_NAMESPACE, f"task-number/{project_id.hex}/{number}")


# Errors ---------------------------------------------------------------------


class EmailTaken(DomainError):
    """An account with this e-mail address already exists. Log in instead."""

    code = "email_taken"


class SubdomainTaken(DomainError):
    """This subdomain is taken. Choose a different one."""

    code = "subdomain_taken"


class ProjectKeyTaken(DomainError):
    """This key is, or was, used by another project of this organization. Choose a different one."""

    code = "project_key_taken"
