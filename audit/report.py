"""What a check of an export found, for programs and for people."""

from collections.abc import Sequence
from dataclasses import dataclass

PROBLEMS_MAX = 100
"""Problems that a report lists; more are only counted, so that memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, from *line* on (counted from 1), to *last_line* if a range is concerned."""

    line: int
    seq: int | None
    what: str
    last_line: int | None = None

    def __str__(self) -> str:
        """Return one line for people."""
        where = f"line {self.line}"
        if self.last_line not in {None, self.line}:
            where = f"lines {self.line} to {self.last_line}"
        return (
            f"{where}: {self.what}" if self.seq is None else f"{where}, seq {self.seq}: {self.what}"
        )


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome: *proven* is the last seq that a signed root covers, 0 if none does."""

    events: int
    skeletons: int
    proven: int
    vkey: str | None
    key_is_trusted: bool
    problems: Sequence[Problem]
    more: int
    """How many problems there are beyond those listed."""

    @property
    def ok(self) -> bool:
        """Whether nothing at all is wrong."""
        return not self.problems

    def __str__(self) -> str:
        """Return the report for people, the verdict last."""
        lines = [str(problem) for problem in self.problems]
        if self.more:
            lines.append(f"and {self.more} more problems")
        if not self.key_is_trusted:
            lines.append(f"note: the key was taken from the file itself: {self.vkey}")
        verdict = "OK" if self.ok else "NOT OK"
        lines.append(
            f"{verdict}: {self.events} events, {self.skeletons} skeletons, proven to {self.proven}"
        )
        # Text of a hostile file goes to a terminal here: escaped, it cannot steer it or add lines.
        return "\n".join(line.encode("unicode_escape").decode("ascii") for line in lines)
