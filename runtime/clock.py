"""The clock: the one place where the time comes from."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the time now, aware and in UTC. Tests hand in their own."""


def system_clock() -> datetime:
    """Return the time of the machine, UTC."""
    return datetime.now(UTC)
