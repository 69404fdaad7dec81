"""What is wrong with a log, and where."""

from msgspec import Struct


class LintFinding(Struct, frozen=True):
    """Something that no command of this version would have recorded.

    ``position`` 0 means that it concerns a partition as a whole.
    """

    part: int
    position: int
    what: str

    def __str__(self) -> str:
        place = f"position {self.position}" if self.position else "claims and counts"
        return f"partition {self.part}, {place}: {self.what}"
