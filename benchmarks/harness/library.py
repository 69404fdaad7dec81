"""The event library used directly, as in its tutorial: one ``save`` per command."""

import threading
import time
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from benchmarks.harness.pace import Pace

IN_ORDER = ("IN_PROGRESS", "IN_REVIEW", "IN_PROGRESS", "TODO")


class Ticket(Aggregate):
    """A task with one changing status, written with the library."""

    @event("Opened")
    def __init__(self, title: str) -> None:
        self.title = title
        self.status = "TODO"

    @event("StatusChanged")
    def change_status(self, from_: str, to: str) -> None:
        self.status = to


class Tickets(Application[UUID]):
    """Tickets without cache and snapshots; the environment names the database."""


class LibraryWriters:
    """Threads that each change and save a ticket."""

    def __init__(self, application: Tickets, threads: int) -> None:
        self._application = application
        self._tickets = [Ticket(title=f"Say what ticket {n} is about") for n in range(threads)]
        application.save(*self._tickets)

    def save(self, seconds: float) -> Pace:
        """Save for *seconds*, each thread as often as it can."""
        saved = [0] * len(self._tickets)
        until = time.perf_counter() + seconds

        def work(n: int) -> None:
            ticket = self._tickets[n]
            while time.perf_counter() < until:
                ticket.change_status(ticket.status, IN_ORDER[saved[n] % 4])
                self._application.save(ticket)
                saved[n] += 1

        threads = [threading.Thread(target=work, args=(n,)) for n in range(len(saved))]
        pace = Pace()
        with pace.timed():
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        pace.done = sum(saved)
        return pace
