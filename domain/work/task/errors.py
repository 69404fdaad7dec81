"""Why a change of a task is refused."""

from domain.base import DomainError


class TransitionNotAllowed(DomainError):
    """A task cannot go to that status from where it stands; see `allowed`."""

    code = "transition_not_allowed"


class TooManyAssignees(DomainError):
    """A task can have at most 20 assignees; unassign somebody first."""

    code = "too_many_assignees"
