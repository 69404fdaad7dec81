"""The log in memory keeps the contract."""

from typing import cast

import pytest

from eventstore.memory import MemoryStore
from eventstore.store import Store
from tests.eventstore.contract import StoreContract
from tests.eventstore.crowd import check_crowd
from tests.eventstore.pinned import Pinned
from tests.eventstore.reserving import ReservationContract


@pytest.fixture
def store() -> Store:
    return MemoryStore()


class TestMemoryStore(StoreContract):
    pass


class TestMemoryStoreInAPartition(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return cast(Store, Pinned(MemoryStore(parts=2), 1))


class TestMemoryReservations(ReservationContract):
    @pytest.fixture(params=[1, 8])
    def store(self, request: pytest.FixtureRequest) -> Store:
        return MemoryStore(parts=request.param)


def test_a_crowd_leaves_no_gap_and_a_reader_misses_nothing(store: Store) -> None:
    check_crowd([store] * 4, store, count=100)
