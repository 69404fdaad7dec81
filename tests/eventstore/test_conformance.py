"""The library's own conformance cases hold for our recorders."""

import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import eventsourcing.cryptography
import pytest
from eventsourcing.persistence import ApplicationRecorder

from eventstore.engine.recorder import LogRecorder
from eventstore.memory import MemoryStore
from eventstore.postgres import PostgresStore
from eventstore.sqlite import SqliteStore

# The cases import the library's older cipher, which needs a package that nothing of ours uses;
# its newer one has the same class on `cryptography`.
sys.modules.setdefault("eventsourcing.cipher", eventsourcing.cryptography)
from eventsourcing.tests import persistence as cases  # noqa: E402 - after the environment is set

pytestmark = pytest.mark.servers

Recorder = ApplicationRecorder


class Conformance(cases.ApplicationRecorderTestCase[Any]):
    """Insert, select, and many threads that do both."""

    def tearDown(self) -> None:
        """Wait for the reading threads, which the cases leave behind, before the store closes."""
        for thread in threading.enumerate():
            if "read_continuously" in thread.name:
                thread.join()


class NoInterleaving(cases.NonInterleavingNotificationIDsBaseCase):
    """The events of one append stand together."""


class InMemory:
    def create_recorder(self) -> Recorder:
        return LogRecorder(MemoryStore())


class InSqlite:
    addCleanup: Any  # noqa: N815  unittest's name

    def create_recorder(self) -> Recorder:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        store = SqliteStore(str(Path(directory.name) / "log.db"))
        self.addCleanup(store.close)
        store.create()
        return LogRecorder(store)


class InPostgres:
    addCleanup: Any  # noqa: N815  unittest's name
    url: str

    @pytest.fixture(autouse=True)
    def give_url(self, postgres_url: str) -> None:
        self.url = postgres_url

    def create_recorder(self) -> Recorder:
        store = PostgresStore(self.url)
        self.addCleanup(store.close)
        store.create()
        return LogRecorder(store)


class TestMemoryConforms(InMemory, Conformance):
    pass


class TestSqliteConforms(InSqlite, Conformance):
    pass


@pytest.mark.servers
class TestPostgresConforms(InPostgres, Conformance):
    pass


class TestMemoryDoesNotInterleave(InMemory, NoInterleaving):
    pass


class TestSqliteDoesNotInterleave(InSqlite, NoInterleaving):
    pass


@pytest.mark.servers
class TestPostgresDoesNotInterleave(InPostgres, NoInterleaving):
    pass


del Conformance, NoInterleaving  # or pytest would collect the cases without a recorder
