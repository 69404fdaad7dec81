"""Errors: why a workflow is refused, or a status."""

from domain.base import DomainError, Refusal


class WorkflowNotValid(DomainError):
    """This workflow cannot be used. `problem` says what to change."""

    code = "workflow_not_valid"
    refusal = Refusal.INVALID


class StatusInUse(DomainError):
    """Tasks have this status. Move them first, or name another status for them in `moved`."""

    code = "status_in_use"
    refusal = Refusal.CONFLICT


class UnknownStatus(DomainError):
    """The workflow of this project has no such status. `statuses` lists those that it has."""

    code = "unknown_status"
    refusal = Refusal.INVALID
