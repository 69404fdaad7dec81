"""Errors: why a change to a task is refused."""

from domain.base import DomainError, Refusal


class TransitionNotAllowed(DomainError):
    """A task cannot move from its current status to this one. `allowed` lists where it can go."""

    code = "transition_not_allowed"
    refusal = Refusal.CONFLICT


class SubtasksOpen(DomainError):
    """This task has open subtasks. Finish, cancel or delete them first, or force the status."""

    code = "open_subtasks"
    refusal = Refusal.CONFLICT


class ParentIsBelow(DomainError):
    """A task cannot be a subtask of itself or of one of its own subtasks."""

    code = "parent_is_below"
    refusal = Refusal.CONFLICT


class SubtasksTooDeep(DomainError):
    """Subtasks can be nested five levels deep. Choose a parent further up."""

    code = "subtasks_too_deep"
    refusal = Refusal.CONFLICT


class SubtasksChanged(DomainError):
    """The subtasks of this task changed at the same moment. Try again."""

    code = "subtasks_changed"
    refusal = Refusal.CONFLICT


class SubtreeTooLarge(DomainError):
    """A task moves with at most 200 tasks, itself and its subtasks. Move some of them first."""

    code = "subtree_too_large"
    refusal = Refusal.CONFLICT


class TooMuchBelow(DomainError):
    """A task is deleted with at most 1,000 subtasks. Delete or move some of them first."""

    code = "too_many_subtasks"
    refusal = Refusal.CONFLICT


class ParentInTrash(DomainError):
    """What this belongs to is in the trash as well: `parent`. Restore that first."""

    code = "parent_in_trash"
    refusal = Refusal.CONFLICT


class RankedBesideItself(DomainError):
    """A task is ranked before or after another task, not itself."""

    code = "ranked_beside_itself"
    refusal = Refusal.INVALID


class NeighborsChanged(DomainError):
    """The tasks around this place changed at the same moment. Try again."""

    code = "neighbors_changed"
    refusal = Refusal.CONFLICT


class StartsAfterDue(DomainError):
    """This task would start after it is due. Change the other date as well."""

    code = "starts_after_due"
    refusal = Refusal.CONFLICT


class TwoDueDates(DomainError):
    """A task is due on a day or at a time, not both. Send `dueDate` or `dueAt`."""

    code = "two_due_dates"
    refusal = Refusal.INVALID


class TimeOutOfRange(DomainError):
    """In UTC, this time is before the year 1 or after the year 9999. Send another time."""

    code = "time_out_of_range"
    refusal = Refusal.INVALID


class TooManyLabels(DomainError):
    """A task can have at most 50 labels. Remove one first."""

    code = "too_many_labels"
    refusal = Refusal.CONFLICT


class TooManyWatchers(DomainError):
    """A task can have at most 200 watchers. Remove one first."""

    code = "too_many_watchers"
    refusal = Refusal.CONFLICT


class CannotSeeProject(DomainError):
    """This person cannot see the project of the task. Make them a member of the project first."""

    code = "cannot_see_project"
    refusal = Refusal.CONFLICT


class BlockersOpen(DomainError):
    """Open tasks block this task. Finish, cancel or delete them first, or force the status."""

    code = "open_blockers"
    refusal = Refusal.CONFLICT


class TooManyAssignees(DomainError):
    """A task can have at most 20 assignees. Remove one first."""

    code = "too_many_assignees"
    refusal = Refusal.CONFLICT
