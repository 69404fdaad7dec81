"""What the clients of a hammer choose from."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from commands.base import Command

Chances = Sequence[tuple[int, Callable[[], Command]]]
"""Commands, and how likely each is beside the others."""


class Choices:
    """Chooses the same in each run; clients meet in few things, so they collide."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)  # noqa: S311 - the same story each time

    def of(self, some: Sequence[Any]) -> Any:
        """Return one of *some*."""
        return self._random.choice(some)

    def among(self, *areas: Callable[[], Chances]) -> Command:
        """Return a command of one of *areas*."""
        weights, commands = zip(*self.of(areas)(), strict=True)
        made: Command = self._random.choices(commands, weights)[0]()
        return made
