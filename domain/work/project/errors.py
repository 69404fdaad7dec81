"""Errors of projects."""

from domain.base import DomainError, Refusal


class ProjectOnHold(DomainError):
    """This project is on hold. Resume it to create or start tasks."""

    code = "project_on_hold"
    refusal = Refusal.CONFLICT


class ProjectIsArchived(DomainError):
    """This project is archived and cannot be changed. Unarchive it first."""

    code = "project_archived"
    refusal = Refusal.CONFLICT


class ProjectKeyNotAllowed(DomainError):
    """A project key has 2 to 10 capital letters or digits and starts with a letter."""

    code = "project_key_not_allowed"
    refusal = Refusal.INVALID


class TooManyProjectMembers(DomainError):
    """A project can have at most 500 members. Remove one first, or link a team."""

    code = "too_many_project_members"
    refusal = Refusal.CONFLICT
