"""New passwords: which are refused, with which code, and which are accepted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.password_rules import COMMON, SCORED_CHARS, weaknesses

CONTEXT = ["alice.anderson@example.com", "Alice Anderson", "Rivendell Ltd", "rivendell", "Track"]


def codes(password: str, **limits: int) -> list[str]:
    return weaknesses(password, context=CONTEXT, **limits)


@pytest.mark.parametrize(
    "password",
    [
        "velvet otter plays chess",
        "windowsill gravel twelve oboes",
        "zwölf Boxkämpfer jagen Viktor",
        "мокрый ёжик читает газету",
        "濡れたハリネズミが新聞を読む朝",
        "q7!fVz2#Lw9@",
        "kdjrnvpwqzmtx",
        "   spaces matter to otters   ",
        "🦔📰☕🌧️🚲🎻🪁🧦🦜🍋",
        "x4 " * 20 + "gravel oboe windowsill",
    ],
)
def test_a_strong_password_is_accepted_whatever_its_characters(password: str) -> None:
    assert codes(password) == []


@pytest.mark.parametrize(
    "password",
    [
        "password123",
        "Password2024!",
        "P@ssw0rd1234",
        "qwertyuiop",
        "1234567890",
        "iloveyou123",
        "QWERTY123456",
        "letmeinplease",
        "aaaaaaaaaaaaaaaa",
        "abcdefghijklmnop",
        "2024-01-01",
        "passwordpassword",
        "1q2w3e4r5t6y",
        "!!!dragon!!!",
        "Monkey12345",
    ],
)
def test_a_guessable_password_is_refused(password: str) -> None:
    found = codes(password)

    assert "guessable" in found or "common" in found


def test_another_spelling_of_a_common_password_is_refused() -> None:
    assert "common" in codes("\uff41\uff44min\uff49STRATOR")


def test_words_that_are_common_only_when_written_as_one_are_accepted() -> None:
    assert codes("correct horse battery staple") == []


@pytest.mark.parametrize("password", ["Password1!", "iloveyou12", "QWERTYUIOP", "  sunshine  "])
def test_a_common_password_is_refused_even_with_digits_around_it(password: str) -> None:
    assert "common" in codes(password)


def test_the_blocklist_ignores_case() -> None:
    missed = [word for word in COMMON if "common" not in codes(word.upper())]

    assert missed == []


@pytest.mark.parametrize(
    "password",
    [
        "alice.anderson@example.com",
        "xx-alice.anderson-oboe-gravel",
        "ALICE ANDERSON windowsill",
        "oboe a.l.i.c.e anderson gravel",
        "Rivendell-gravel-oboe-9",
        "\uff32\uff29ve\uff2edell oboe gravel",
        "backtracking otters play chess",
    ],
)
def test_known_words_about_the_user_are_refused_in_any_spelling(password: str) -> None:
    assert "contains_context" in codes(password)


def test_the_local_part_of_an_address_is_a_known_word() -> None:
    found = weaknesses("gravel oboe ana.lima plays", context=["ana.lima@example.test"])

    assert found == ["contains_context"]


def test_short_context_words_are_ignored() -> None:
    assert weaknesses("velvet otter plays chess", context=["ot", "Vel", "v@l", "", "@"]) == []


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("q7!fVz2#L", True),
        ("q7!fVz2#Lw", False),
        ("🦔📰☕🌧🚲🎻🪁🧦🦜", True),
        ("e\u0301" * 9, True),
        ("", True),
    ],
)
def test_length_is_counted_in_code_points_after_composition(password: str, expected: bool) -> None:
    assert ("too_short" in codes(password)) is expected


def test_the_minimum_length_can_be_raised() -> None:
    assert codes("q7!fVz2#Lw9@", length_min=15) == ["too_short"]


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("velvet otter plays chess " + "x" * 231, []),
        ("velvet otter plays chess " + "x" * 232, ["too_long"]),
        ("\u0301" * 1_000_000, ["too_long"]),
    ],
)
def test_256_code_points_are_allowed_and_one_more_is_not(
    password: str, expected: list[str]
) -> None:
    assert codes(password) == expected


@given(password=st.text(max_size=300), context=st.lists(st.text(), max_size=4))
def test_the_rules_accept_any_text_without_errors(password: str, context: list[str]) -> None:
    known = {"too_short", "too_long", "common", "guessable", "contains_context"}

    assert set(weaknesses(password, context=context)) <= known


def test_only_the_beginning_is_scored_so_that_no_password_takes_long() -> None:
    strong = "violet tractor nine moons under the harbour "

    assert weaknesses(strong, context=[]) == []
    assert weaknesses("a" * SCORED_CHARS + strong, context=[]) == ["guessable"]
    assert SCORED_CHARS <= 72
