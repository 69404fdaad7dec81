"""Organizations with something in them."""

import pytest
from litestar import Litestar

from tests.api.fork.filled import fill
from tests.api.stage import Person, unique


@pytest.fixture
async def filled(app: Litestar, ana: Person, monkeypatch: pytest.MonkeyPatch) -> Person:
    """Return Ana, with everything in her organization."""
    monkeypatch.setattr("cli.story.website._IMPORTED_S", 0.0)
    monkeypatch.setattr("cli.story.acme.COLLEAGUE_EMAIL", f"{unique('b')}@example.com")
    monkeypatch.setattr("cli.story.records.Records._hold", lambda _: None)
    await fill(app, ana)
    return ana
