"""The nouns that every aggregate is made of: identifiers, events, states and errors."""

from typing import Annotated, Any, ClassVar, NewType, Protocol, Self
from uuid import UUID

from msgspec import Meta, Struct

OrgId = NewType("OrgId", UUID)
UserId = NewType("UserId", UUID)
SessionId = NewType("SessionId", UUID)
ProjectId = NewType("ProjectId", UUID)
TaskId = NewType("TaskId", UUID)
WebhookId = NewType("WebhookId", UUID)

PLATFORM = OrgId(UUID("00000000-0000-7000-8000-000000000001"))
"""The organization of facts that belong to no customer: accounts, sessions, address claims."""

Personal = Annotated[str, Meta(extra={"personal": True})]
"""Personal data or free text. The log stores a salted commitment in its place and the value
itself sealed under the key of the stream, so that destroying one key erases it everywhere."""


class Event(Struct, frozen=True, kw_only=True, tag_field="type", rename="camel"):
    """A fact, named in the past tense. Never changed once recorded.

    It holds what rules and readers of the business need; which stream, who and when are the
    envelope's to say. The tag (``task.created``) is its stored name, its webhook type and its
    name in the audit log: a class may be renamed, a tag never.
    """


class State(Protocol):
    """What the rules of one aggregate need to know, rebuilt by folding its events."""

    platform: ClassVar[bool]

    def evolve(self, event: Any, /) -> Self:
        """Return the state after *event*. Never refuses: it has already happened."""
        ...


class DomainError(Exception):
    """A command broke a rule. The docstring of the leaf class is the message users read."""

    code: ClassVar[str]

    def __init__(self, **details: Any) -> None:
        super().__init__(" ".join((self.__doc__ or "").split()))
        self.details = details


class NotFound(DomainError):
    """There is no such thing here, or you may not see it."""

    code = "not_found"
