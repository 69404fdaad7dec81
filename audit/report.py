"""The report of a verification, for programs and people."""

from collections.abc import Sequence
from dataclasses import dataclass

PROBLEMS_MAX = 100
"""Problems listed in a report; further ones are only counted, to bound memory."""


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A problem at *line* (counted from 1), or from there to *last_line*."""

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
    """The result: *proven* is the last seq covered by a signed root, 0 if none is."""

    events: int
    skeletons: int
    unreadable: int
    proven: int
    vkey: str | None
    key_is_trusted: bool
    problems: Sequence[Discrepancy]
    more: int
    """The number of problems beyond those listed."""
    recognized: bool
    """Whether any line has the form of a line of an export."""

    @property
    def ok(self) -> bool:
        """Whether there are no problems."""
        return not self.problems

    def __str__(self) -> str:
        """Return the report for people, the verdict last."""
        lines = [str(problem) for problem in self.problems]
        if self.more:
            lines.append(f"and {self.more} more problems")
        if not self.key_is_trusted:
            lines.append(f"note: the key was taken from the file itself: {self.vkey}")
        read = f"{self.events} events, {self.skeletons} skeletons"
        if self.unreadable:
            read += f", {self.unreadable} unreadable"
        if self.ok:
            lines.append(f"OK: {read}, proven to {self.proven}")
        else:
            lines.append(f"NOT OK: do not rely on this export ({read} read)")
        # Text of a hostile file goes to a terminal here: escaped, it cannot control it or add
        # lines.
        return "\n".join(line.encode("unicode_escape").decode("ascii") for line in lines)
