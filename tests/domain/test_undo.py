"""Undo: how often something was undone, in a stream of its own for each correlation id."""

from domain.undo import ChangesUndone, Undo, undo_of
from tests.domain.spec import ACME, OTHER, given

UNDONE = ChangesUndone(correlation_id="one", done=2, conflicts=1)


def test_every_undo_is_counted() -> None:
    assert Undo().times == 0
    assert given(Undo(), UNDONE, UNDONE).times == 2


def test_each_correlation_id_of_an_organization_has_a_stream_of_its_own() -> None:
    streams = [undo_of(ACME, "one"), undo_of(ACME, "two"), undo_of(OTHER, "one")]

    assert len({*streams}) == 3
    assert undo_of(ACME, "one") == streams[0]
