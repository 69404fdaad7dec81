"""A position that clients get means the same again in the same layout only."""

from hypothesis import given
from hypothesis import strategies as st

from api.http.log_position import asked_position, shown_position
from eventstore.partition import PARTS_MAX

POSITIONS = st.integers(1, 10**11)
PARTS, EPOCHS = st.integers(1, PARTS_MAX), st.integers(1, 63)


@given(POSITIONS, PARTS, EPOCHS)
def test_a_position_is_read_back_unchanged_and_is_exact_in_json(
    position: int, parts: int, epoch: int
) -> None:
    shown = shown_position(position, parts, epoch)

    assert asked_position(shown, parts, epoch) == position
    assert shown < 2**53


@given(POSITIONS, st.tuples(PARTS, EPOCHS), st.tuples(PARTS, EPOCHS))
def test_a_position_of_another_layout_asks_for_nothing(
    position: int, layout: tuple[int, int], other: tuple[int, int]
) -> None:
    expected = position if layout == other else 0

    assert asked_position(shown_position(position, *layout), *other) == expected


@given(POSITIONS, PARTS, EPOCHS)
def test_a_later_position_is_a_larger_number(position: int, parts: int, epoch: int) -> None:
    assert shown_position(position + 1, parts, epoch) > shown_position(position, parts, epoch)
