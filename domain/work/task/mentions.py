"""Whom the description of a task mentions."""

from domain.base import Event, UserId

MENTIONS_MAX = 50
"""How many people one text can mention."""


class TaskMentioned(Event, frozen=True, kw_only=True, tag="task.mentioned"):
    """Whom the description of a task mentions was changed.

    `added` are those of the mentioned whom it did not mention before.
    """

    sets = ("mentions",)
    mentions: tuple[UserId, ...] = ()
    added: tuple[UserId, ...] = ()
