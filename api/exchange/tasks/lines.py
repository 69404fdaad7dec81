"""Reads the tasks of a file in JSON Lines: one object a line."""

from collections.abc import Iterator
from typing import IO, Any, NamedTuple, cast

import msgspec

from api.exchange.tasks.mapping import Mapping
from commands.exchange.task_line import TaskLine

LINE_MAX = 1024 * 1024
"""Characters of one line."""
_decode = msgspec.json.Decoder(TaskLine).decode
_decode_any = msgspec.json.Decoder().decode


class Unreadable(NamedTuple):
    """A line that is no task, and why."""

    number: int
    detail: str


class Readable(NamedTuple):
    """A line that is a task; its number counts from 1."""

    number: int
    task: TaskLine


class BrokenFile(Exception):
    """Nothing can be read from here on."""


def read_lines(file: IO[str], mapping: Mapping) -> Iterator[Readable | Unreadable]:
    """Yield the lines of a file that are not empty.

    :raises BrokenFile: a line is too long.
    """
    number = 0
    plain = mapping == Mapping()
    while line := file.readline(LINE_MAX):
        number += 1
        if len(line) >= LINE_MAX:
            raise BrokenFile(f"Line {number} is longer than {LINE_MAX:,} characters.")
        if not line.strip():
            continue
        try:
            task = _decode(line) if plain else converted(_decode_any(line), mapping)
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as error:
            yield Unreadable(number, str(error))
            continue
        yield checked(number, task)


def converted(given: Any, mapping: Mapping, *, strict: bool = True) -> TaskLine:
    """Return a task from its members, by the names of *mapping*.

    :raises msgspec.ValidationError: it is none.
    """
    if isinstance(given, dict):
        members = cast("dict[str, Any]", given)
        columns = mapping.columns
        renamed = {columns.get(name, name): value for name, value in members.items()}
        given = {name: mapping.value(name, value) for name, value in renamed.items()}
    return msgspec.convert(given, TaskLine, strict=strict)


def checked(number: int, task: TaskLine) -> Readable | Unreadable:
    """Return a task, refused if a text has a character that no text can keep."""
    texts = [
        task.description or "",
        *(each for each in task.fields.values() if isinstance(each, str)),
    ]
    if any("\0" in text for text in texts):
        return Unreadable(number, "A text has a NUL character.")
    return Readable(number, task)
