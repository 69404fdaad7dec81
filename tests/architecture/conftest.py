"""The product as a reader of the documentation starts it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.reader import Reader, reading


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """Start the product as `make run` does, with a data directory of its own."""
    with reading(tmp_path) as reader:
        yield reader
