"""Redaction: a text that should never have been written is taken out of the log for good.

Invariants
    1. The events stay as they were hashed, with commitments to what is gone, so all proofs hold.
    2. Nothing that is current comes from what is gone: it was changed before.
    3. What is gone is gone once: redacting it again records nothing.
"""

from typing import ClassVar
from uuid import UUID, uuid5

from msgspec import Struct
from msgspec.structs import replace

from domain.base import DomainError, Event, Personal, ProjectId, Refusal, TaskId

_NAMESPACE = UUID("1d0b6f6e-93a4-5d53-9a43-6c1f1f0f7b2e")


# Events ---------------------------------------------------------------------


class RedactedTexts(Struct, frozen=True, gc=False):
    """The fields of one event of the organization, by its sequence number, whose texts are gone."""

    seq: int
    fields: tuple[str, ...]


class ContentRedacted(Event, frozen=True, kw_only=True, tag="content.redacted"):
    """Texts of a thing are gone from the log, from all events of it that had them.

    *of* is the thing; what is in a task or a project names that, too.
    """

    sets = ("times",)
    of: UUID
    task_id: TaskId | None = None
    project_id: ProjectId | None = None
    texts: tuple[RedactedTexts, ...]
    reason: Personal


# State ----------------------------------------------------------------------


class Redaction(Struct, frozen=True, gc=False):
    """How often texts of one thing were redacted."""

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = (ContentRedacted,)

    times: int = 0

    def evolve(self, event: ContentRedacted) -> "Redaction":
        return replace(self, times=self.times + 1)


def redaction_of(stream: UUID) -> UUID:
    """Return the stream that records what was redacted of another one."""
    return uuid5(_NAMESPACE, stream.hex)


# Errors ---------------------------------------------------------------------


class NoSuchText(DomainError):
    """The event has no such text."""

    code = "no_such_text"
    refusal = Refusal.INVALID


class TextOfPerson(DomainError):
    """This is what an account or an invitation says of a person. It goes when they are erased."""

    code = "text_of_person"
    refusal = Refusal.CONFLICT


class TextInUse(DomainError):
    """This is what the thing says now. Change it first, or delete and purge the thing."""

    code = "text_in_use"
    refusal = Refusal.CONFLICT
