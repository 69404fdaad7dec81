"""The building blocks of every aggregate: identifiers, events, states and errors."""

from enum import Enum
from typing import Annotated, Any, ClassVar, NamedTuple, NewType, Protocol, Self
from uuid import UUID

from msgspec import Meta, Struct

OrgId = NewType("OrgId", UUID)
UserId = NewType("UserId", UUID)
SessionId = NewType("SessionId", UUID)
TeamId = NewType("TeamId", UUID)
ProjectId = NewType("ProjectId", UUID)
TaskId = NewType("TaskId", UUID)
CommentId = NewType("CommentId", UUID)
LabelId = NewType("LabelId", UUID)
FieldId = NewType("FieldId", UUID)
CycleId = NewType("CycleId", UUID)
MilestoneId = NewType("MilestoneId", UUID)
ViewId = NewType("ViewId", UUID)
WorklogId = NewType("WorklogId", UUID)
TemplateId = NewType("TemplateId", UUID)
AttachmentId = NewType("AttachmentId", UUID)
WebhookId = NewType("WebhookId", UUID)
ApiKeyId = NewType("ApiKeyId", UUID)

PLATFORM = OrgId(UUID("00000000-0000-7000-8000-000000000001"))
"""The organization of events that belong to no customer: accounts, sessions, e-mail claims."""

Personal = Annotated[str, Meta(extra={"personal": True})]
"""Personal data or free text. The log stores a salted commitment in its place and keeps the value
itself encrypted under the stream's key, so that destroying that key erases it everywhere."""

ERASED = "[erased]"
"""What a personal value reads as once the key that encrypted it is destroyed."""


class KeyOwner(NamedTuple):
    """Whose key encrypts the personal values of an event: the subject that *field* names.

    The key is kept with the event's organization, or with the platform if the subject is a person.
    """

    field: str
    platform: bool = False


class Event(Struct, frozen=True, kw_only=True, tag_field="type", rename="camel", gc=False):
    """Something that happened, named in the past tense. Never changed once recorded.

    It holds only business data; the envelope says which stream, who and when. Its tag
    (``task.created``) is its name in the log, in webhooks and in the audit log: a class may be
    renamed, a tag never. The garbage collector passes it over: nothing in it leads back to it.
    """

    sets: ClassVar[tuple[str, ...]] = ()
    """Fields of the aggregate's state that it changes; empty for an event that creates the
    aggregate or changes no field."""

    hidden: ClassVar[tuple[str, ...]] = ()
    """Fields that only our own rules and read models need, and that webhooks and readers of events
    are not shown: they may name what the reader must not see."""

    sealed_for: ClassVar[KeyOwner | None] = None
    """Whose key encrypts its personal values, if not that of its stream: they can then be erased
    although the stream stays."""

    @classmethod
    def add_implied(cls, data: dict[str, Any]) -> None:
        """Add to *data*, the stored fields, those that are not stored when others imply them.

        Webhooks and readers of events are shown them always.
        """

    def field_keys(self) -> tuple[str, ...]:
        """Return what this event changes, as finely as two people may change it independently.

        A key is a field of the state (``title``), or one part of it (``assignees:<id>``). Two
        events of one aggregate with a key in common would overwrite each other: an If-Match
        refuses the second.
        """
        return self.sets


class State(Protocol):
    """What the rules of one aggregate need to know, rebuilt by folding its events."""

    platform: ClassVar[bool]
    """Whether its events belong to no organization."""

    folds: ClassVar[tuple[type[Event], ...]]
    """The events that ``evolve`` takes, the one that creates the aggregate first."""

    def evolve(self, event: Any, /) -> Self:
        """Return the state after *event*. Never refuses: the event has already happened."""
        ...


class Refusal(Enum):
    """Why a command is refused, in terms that do not depend on HTTP."""

    UNAUTHENTICATED = "unauthenticated"  # nobody is logged in, or the session is over
    FORBIDDEN = "forbidden"  # this person may not do it
    NOT_FOUND = "not found"
    INVALID = "invalid"  # wrong in any state
    CONFLICT = "conflict"  # the state does not allow it now
    STALE = "stale"  # somebody changed the same field since
    OVER_LIMIT = "over limit"  # the plan allows no more


class DomainError(Exception):
    """A command broke a business rule. A subclass's docstring is the message that users read."""

    code: ClassVar[str]
    refusal: ClassVar[Refusal]

    def __init__(self, **details: Any) -> None:
        super().__init__(" ".join((self.__doc__ or "").split()))
        self.details = details


class NotFound(DomainError):
    """This resource does not exist, or you do not have access to it."""

    code = "not_found"
    refusal = Refusal.NOT_FOUND
