"""A cursor is accepted exactly as it was issued, or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.base64url import from_base64url, to_base64url
from security.cursors import CURSOR_CHARS_MAX, MAC_BYTES, CursorKey, CursorValue, InvalidCursor

KEY = CursorKey("a cursor secret for these tests, long")
AGAIN = CursorKey("a cursor secret for these tests, long")
OTHER = CursorKey("another cursor secret for these tests")
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
CURSOR = KEY.encode("acme/tasks?sort=title", ["Ship it", 7])


@given(binding=st.text(), values=st.lists(SCALARS, max_size=4))
def test_a_cursor_returns_its_values_also_in_another_process(
    binding: str, values: list[CursorValue]
) -> None:
    cursor = KEY.encode(binding, values)

    assert KEY.decode(binding, cursor) == values
    assert AGAIN.decode(binding, cursor) == values


@pytest.mark.parametrize("binding", ["", "evil/tasks?sort=title", "acme/tasks?sort=titl"])
def test_a_cursor_is_refused_for_another_binding(binding: str) -> None:
    with pytest.raises(InvalidCursor):
        KEY.decode(binding, CURSOR)


def test_a_cursor_signed_with_another_key_is_refused() -> None:
    with pytest.raises(InvalidCursor):
        OTHER.decode("acme/tasks?sort=title", CURSOR)


@given(at=st.integers(0, len(CURSOR) - 1), put=st.characters())
def test_a_changed_cursor_is_refused(at: int, put: str) -> None:
    changed = CURSOR[:at] + put + CURSOR[at + 1 :]

    if changed != CURSOR:
        with pytest.raises(InvalidCursor):
            KEY.decode("acme/tasks?sort=title", changed)


@given(st.text() | st.binary(max_size=100).map(bytes.hex))
def test_random_text_is_refused_without_other_errors(text: str) -> None:
    with pytest.raises(InvalidCursor):
        KEY.decode("acme", text)


def test_the_length_of_a_cursor_is_limited() -> None:
    with pytest.raises(ValueError, match="at most"):
        KEY.encode("acme", ["x" * CURSOR_CHARS_MAX])
    with pytest.raises(InvalidCursor):
        KEY.decode("acme", "A" * 1_000_000)


def test_payload_and_binding_cannot_be_confused() -> None:
    raw = from_base64url(KEY.encode("acme", ["x"]))
    mac, payload = raw[:MAC_BYTES], raw[MAC_BYTES:]

    with pytest.raises(InvalidCursor):
        KEY.decode("acme" + payload[:1].decode(), to_base64url(mac + payload[1:]))
