"""Undo: what was recorded under one correlation id is taken back by new events.

Invariants
    1. Undoing what is undone already records nothing, so this stream says how often something was.
    2. The stream orders those who undo the same at once: only one of them finds it not undone.
"""

from typing import ClassVar
from uuid import UUID, uuid5

from msgspec import Struct
from msgspec.structs import replace

from domain.base import DomainError, Event, OrgId, Refusal

_NAMESPACE = UUID("5f0f7a52-6a3e-5c0b-8d0a-2f6a1f1f6a55")


# Events ---------------------------------------------------------------------


class ChangesUndone(Event, frozen=True, kw_only=True, tag="changes.undone"):
    """What has a correlation id was undone: *done* changes, all but those in conflict.

    What was changed instead is in the events with the correlation id of this one.
    """

    sets = ("times",)
    correlation_id: str
    done: int
    conflicts: int


# State ----------------------------------------------------------------------


class Undo(Struct, frozen=True, gc=False):
    """How often what has one correlation id was undone."""

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = (ChangesUndone,)

    times: int = 0

    def evolve(self, event: ChangesUndone) -> "Undo":
        return replace(self, times=self.times + 1)


def undo_of(org_id: OrgId, correlation_id: str) -> UUID:
    """Return the stream that records that something of an organization was undone."""
    return uuid5(_NAMESPACE, f"{org_id.hex}{correlation_id}")


# Errors ---------------------------------------------------------------------


class CannotBeUndone(DomainError):
    """This cannot be undone. Change it where it is, if you may."""

    code = "cannot_be_undone"
    refusal = Refusal.CONFLICT


class ValueErased(DomainError):
    """The earlier value is erased, so that nothing can bring it back."""

    code = "value_erased"
    refusal = Refusal.CONFLICT


class TooManyChanges(DomainError):
    """One request undoes at most 5,000 changes of 1,000 things."""

    code = "too_many_changes"
    refusal = Refusal.CONFLICT
