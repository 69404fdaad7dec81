"""One event that is to be undone, and the values that its stream had before, after it and now."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Struct

from commands.base import ChangedSince, Command
from domain.base import ERASED, Event, State, UserId
from domain.undo import ValueErased


class RecalledEvent(Struct, frozen=True, kw_only=True):
    """An event as it was recorded, with the states of its stream around it.

    ``by`` is the person who did it, None for one of our own rules. ``creation`` says whether it
    began the stream. States that nothing compares are None.
    """

    event: Event
    stream: UUID
    seq: int
    by: UserId | None
    request_id: str | None
    at: datetime
    creation: bool = False
    before: State | None = None
    after: State | None = None


class Changed(NamedTuple):
    """An event that is to be undone, and the state of its stream as it is now.

    ``below`` are the tasks that seem to be below the task, which the commands on it need, and
    ``caller`` is who undoes it.
    """

    event: Any  # Any: each inverse knows the event and the state that it is of
    stream: Any
    before: Any
    after: Any
    now: Any
    below: tuple[Any, ...]
    caller: UserId

    def earlier(self, *names: str) -> dict[str, Any]:
        """Return the values to set back, of those fields of the state that the event changed.

        Those that have their earlier values again are left out.

        :raises ChangedSince: a field has neither that value nor the one that the event gave it.
        :raises ValueErased: an earlier value is erased.
        """
        back: dict[str, Any] = {}
        for name in names:
            was, given, now = (getattr(each, name) for each in (self.before, self.after, self.now))
            if was not in (given, now):
                refuse_unless_unchanged(was, given, now)
                back[name] = was
        return back


def refuse_unless_unchanged(was: object, given: object, now: object) -> None:
    """Refuse to set a value back to what it *was* unless it is the one *given* by the change.

    :raises ChangedSince: it is another one by *now*.
    :raises ValueErased: the earlier one is erased.
    """
    if now != given:
        raise ChangedSince
    if was == ERASED or (isinstance(was, tuple) and ERASED in was):
        raise ValueErased


class Inverse(NamedTuple):
    """What takes back one field of an event: *commands*, or none if it is so already.

    ``field`` is what people read where it is refused; empty for the whole thing. An event that
    changed none of the fields of the state which are ``among`` has nothing of it to take back.
    """

    field: str
    commands: Callable[[Changed], Iterable[Command]]
    among: tuple[str, ...] = ()

    def concerns(self, event: RecalledEvent) -> bool:
        """Return whether *event* changed something that this takes back."""
        if not self.among:
            return True
        return any(getattr(event.before, n) != getattr(event.after, n) for n in self.among)


class Final(NamedTuple):
    """Why an event cannot be undone."""

    because: str


Answer = tuple[Inverse, ...] | Final
"""What becomes of one kind of event."""


def whole(commands: Callable[[Changed], Iterable[Command]]) -> Answer:
    """Return the answer for an event that concerns a whole thing."""
    return (Inverse("", commands),)


def setting(
    kind: Callable[..., Command], target: str, *names: str, field: str | None = None
) -> Inverse:
    """Return what sets fields of a thing back by a command which takes them under their names."""

    def commands(changed: Changed) -> Iterable[Command]:
        back = changed.earlier(*names)
        return [kind(**{target: changed.stream}, **back)] if back else []

    return Inverse(names[0] if field is None else field, commands, names)


def trashing(
    delete: Callable[[Changed], Command], restore: Callable[[Changed], Command]
) -> tuple[Answer, Answer]:
    """Return the answers for what brings a thing here, and for what takes it to the trash."""

    def away(changed: Changed) -> Iterable[Command]:
        return [] if changed.now.deleted else [delete(changed)]

    def back(changed: Changed) -> Iterable[Command]:
        return [restore(changed)] if changed.now.deleted else []

    return whole(away), whole(back)


def belonging(
    field: str,
    member: str,
    add: Callable[[Changed, Any], Command],
    remove: Callable[[Changed, Any], Command],
) -> tuple[Answer, Answer]:
    """Return the answers for what adds a member to a set, and for what removes one from it.

    The set is the *field* of the state, and *member* the field of the event that names the member.
    """

    def out(changed: Changed) -> Iterable[Command]:
        one = getattr(changed.event, member)
        return [remove(changed, one)] if one in getattr(changed.now, field) else []

    def back(changed: Changed) -> Iterable[Command]:
        one = getattr(changed.event, member)
        return [] if one in getattr(changed.now, field) else [add(changed, one)]

    return (Inverse(field, out),), (Inverse(field, back),)


NOT_BROUGHT_BACK = Final("What is gone for good cannot be brought back.")
IMPORTED = Final("It says where something came from, which does not change.")
