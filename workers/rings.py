"""The organizations that a job asks the delivery engine to look at now."""

from uuid import UUID


class Rings:
    """The requests that the engine of this process has not handled yet."""

    def __init__(self) -> None:
        self._rung: set[UUID] = set()

    def ring(self, org_id: UUID) -> None:
        """Ask the senders of an organization to look at the log."""
        self._rung.add(org_id)

    def take(self) -> set[UUID]:
        """Return the organizations asked for since the last call."""
        rung, self._rung = self._rung, set()
        return rung
