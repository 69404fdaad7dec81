"""Whether a log takes commands, stored in the database itself so that every process obeys."""

from enum import StrEnum

from eventstore.append import LogUnavailable


class LogMode(StrEnum):
    """Whether a log takes commands; the values are stored, so they never change."""

    OPEN = "open"
    READ_ONLY = "read_only"  # requested by an operator, or the last step of a move
    MOVED = "moved"  # another database has taken over
    RESTORING = "restoring"  # a restore or a move into it has not finished
    CONTRADICTED = "contradicted"  # shorter than, or different from, what was signed
    ACCEPTING = "accepting"  # an operator is accepting that it was restored to an earlier state


STILL = frozenset({LogMode.READ_ONLY, LogMode.MOVED})
"""Modes in which nothing is written next to the events either, so that a copy is complete."""


class LogClosed(LogUnavailable):
    """The log takes no commands; nothing was recorded."""

    def __init__(self, mode: LogMode) -> None:
        super().__init__(f"the log takes no commands: {REASONS[mode]}")
        self.mode = mode


REASONS = {
    LogMode.OPEN: "it does",
    LogMode.READ_ONLY: "it is read-only until `trackrecord read-only off`",
    LogMode.MOVED: "it was moved to another database: put its address in EVENTS_URL",
    LogMode.RESTORING: "a restore or a move into it has not finished: run that command again",
    LogMode.CONTRADICTED: (
        "it is shorter than, or different from, what was signed before. Restore a newer backup, or"
        " run `trackrecord accept-restore` to continue with what is there"
    ),
    LogMode.ACCEPTING: "`trackrecord accept-restore` has not finished: run it again",
}
"""Why a log in each mode takes no commands, and what to do about it."""
