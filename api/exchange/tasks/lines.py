"""Reads a file in JSON Lines: one object a line, a task or what is beside the tasks."""

from collections.abc import Iterator
from typing import IO, Any, NamedTuple, cast

import msgspec

from api.exchange.tasks.mapping import Mapping
from commands.exchange.content_line import CommentLine, ContentLine, WorklogLine
from commands.exchange.task_line import TaskLine

LINE_MAX = 1024 * 1024
"""Characters of one line."""
_decode = msgspec.json.Decoder(TaskLine).decode
_decode_content = msgspec.json.Decoder(ContentLine).decode
_decode_any = msgspec.json.Decoder().decode


class Unreadable(NamedTuple):
    """A line that is no task, and why."""

    number: int
    detail: str


class Readable(NamedTuple):
    """A line that is a task; its number counts from 1."""

    number: int
    task: TaskLine


class ReadableContent(NamedTuple):
    """A line that is a comment or a relation; its number counts from 1."""

    number: int
    content: ContentLine


Line = Readable | ReadableContent | Unreadable


class _Typed(msgspec.Struct, frozen=True):
    """A line of which only its type is wanted."""

    type: Any = None


_typed = msgspec.json.Decoder(_Typed).decode


class BrokenFile(Exception):
    """Nothing can be read from here on."""


def read_lines(file: IO[str], mapping: Mapping) -> Iterator[Line]:
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
            found = _decoded(line) if plain else converted(_decode_any(line), mapping)
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as error:
            yield Unreadable(number, str(error))
            continue
        yield checked(number, found)


def _decoded(line: str) -> TaskLine | ContentLine:
    if '"type"' in line and _typed(line).type is not None:
        content: ContentLine = _decode_content(line)
        return content
    return _decode(line)


def converted(given: Any, mapping: Mapping, *, strict: bool = True) -> TaskLine | ContentLine:
    """Return what a line tells from its members, by the names of *mapping*.

    :raises msgspec.ValidationError: it is none.
    """
    if isinstance(given, dict):
        members = cast("dict[str, Any]", given)
        columns = mapping.columns
        renamed = {columns.get(name, name): value for name, value in members.items()}
        given = {name: mapping.value(name, value) for name, value in renamed.items()}
        if given.get("type") is not None:
            content: ContentLine = msgspec.convert(given, ContentLine, strict=strict)
            return content
    return msgspec.convert(given, TaskLine, strict=strict)


def checked(number: int, found: TaskLine | ContentLine) -> Line:
    """Return a line, refused if a text has a character that no text can keep."""
    if any("\0" in text for text in _texts(found)):
        return Unreadable(number, "A text has a NUL character.")
    return (
        Readable(number, found) if isinstance(found, TaskLine) else ReadableContent(number, found)
    )


def _texts(found: TaskLine | ContentLine) -> Iterator[str]:
    if isinstance(found, TaskLine):
        yield found.description or ""
        yield from (each for each in found.fields.values() if isinstance(each, str))
    elif isinstance(found, CommentLine):
        yield found.body
    elif isinstance(found, WorklogLine):
        yield found.note or ""
