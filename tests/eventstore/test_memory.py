"""The log in memory keeps the contract."""

import pytest

from eventstore.memory import MemoryStore
from eventstore.store import Store
from tests.eventstore.contract import StoreContract
from tests.eventstore.crowd import check_crowd


@pytest.fixture
def store() -> Store:
    return MemoryStore()


class TestMemoryStore(StoreContract):
    pass


def test_a_crowd_leaves_no_gap_and_a_reader_misses_nothing(store: Store) -> None:
    check_crowd([store] * 4, store, count=100)
