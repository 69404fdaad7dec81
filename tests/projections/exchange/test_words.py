"""Words of texts, and what is found by them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.base import ERASED
from projections.exchange.words import (
    EXCERPT_CHARS,
    SEARCHED_CHARS_MAX,
    WORD_CHARS_MAX,
    WORDS_MAX,
    asked_words,
    excerpt,
    terms_of,
    words_of,
)


def finds(query: str, *texts: str) -> bool:
    """Return whether a search finds texts: by their stored terms, and by their words."""
    asked = asked_words(query)
    stored = terms_of(*texts)
    return all(term in stored for term in asked.terms) and asked.matches(words_of(*texts))


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("oil", "Oil the gears", True),
        ("OIL gea", "Oil the gears", True),
        ("gea oil", "Oil the gears", False),  # only the last word may begin
        ("gears of", "Oil the gears", False),
        ("straße", "STRASSE", True),
        ("ﬁnd", "Find", True),
        ("\uff2f\uff29\uff2c", "oil", True),
        ("cafe\u0301", "Café", True),
        ("oi", "oil", False),  # less than three letters are a whole word
        ("x", "x and y", True),
        ("ENG-1", "ENG-12", False),
        ("ENG-12", "ENG-123", False),
        ("ENG-123", "ENG-1234", True),
        ("deployme", "Deployments", True),
        ("deployme", "Deployed", False),  # both begin with the stored `deplo`
        ("deploy it", "Deploys it", False),
        ("il", "oil", False),
        ("天気", "今日は天気がいい", True),  # nothing tells where a word begins
        ("気天", "今日は天気がいい", False),
        ("天", "今日は天気がいい", True),
        ("い", "今日は天気がいい", True),  # its last character, too
        ("天気 今日", "今日は天気がいい", True),
        ("今天気", "今日は天気がいい", False),
        ("気 dog", "天気 dog", True),
        ("iphone", "新しいiPhoneを買う", True),
        ("iphoneを", "新しいiPhoneを買う", True),
        ("ｶﾒﾗ", "カメラを買う", True),  # NFKC makes the wide form of it
        ("สวัสดี", "สวัสดีครับ", True),
        ("ครับ", "สวัสดีครับ", True),
        ("カメラ", "カメ・ラ", False),
    ],
)
def test_a_text_is_found_by_its_words(query: str, text: str, found: bool) -> None:
    assert finds(query, text) is found


def test_words_may_be_in_several_texts_of_a_task() -> None:
    assert finds("eng oil gears", "ENG-1", "Oil", "the gears")


def test_nothing_is_found_by_what_an_erased_text_shows() -> None:
    assert terms_of(ERASED) == []
    assert not finds("erased", ERASED)


def test_words_and_texts_are_bounded() -> None:
    many = " ".join(f"w{n}" for n in range(WORDS_MAX + 1))
    assert finds(f"w{WORDS_MAX - 1}", many)
    assert not finds(f"w{WORDS_MAX}", many)
    assert not finds("end", "a " * (SEARCHED_CHARS_MAX // 2) + "end")
    assert max(map(len, words_of("a" * 100))) == WORD_CHARS_MAX
    assert finds("a" * 60, "a" * 50)


@given(st.text(min_size=1, max_size=40))
def test_every_text_is_found_by_itself(text: str) -> None:
    if asked_words(text).terms:
        assert finds(text, text)


@given(st.text("abäß ", min_size=1, max_size=30), st.integers(1, 12))
def test_the_beginning_of_each_word_finds_it(text: str, length: int) -> None:
    for word in words_of(text):
        if length > 2 or len(word) <= length:
            assert finds(word[:length], text)


@pytest.mark.parametrize("query", ["", " ", "-!", "\u0301"])
def test_a_query_without_words_has_no_terms(query: str) -> None:
    assert asked_words(query).terms == []


def test_an_excerpt_shows_the_words_and_what_is_around_them() -> None:
    text = "a" * 100 + " we oil it, Oiled twice " + "b" * 300

    parts = excerpt(text, asked_words("oil"))

    assert [part.text for part in parts if part.found] == ["oil", "Oiled"]
    told = "".join(part.text for part in parts)
    assert told in text
    assert len(told) == EXCERPT_CHARS
    assert excerpt("nothing here", asked_words("oil")) == []


def test_an_excerpt_joins_the_pairs_that_overlap() -> None:
    def found(query: str, text: str) -> list[str]:
        return [part.text for part in excerpt(text, asked_words(query)) if part.found]

    assert found("天気予報", "明日の天気予報です") == ["天気予報"]
    assert found("天", "天気と天") == ["天", "天"]
    assert len("".join(part.text for part in excerpt("天" * 500, asked_words("天")))) <= (
        EXCERPT_CHARS
    )


def test_a_long_query_without_spaces_looks_up_half_of_its_pairs() -> None:
    asked = asked_words("一二三四五六七八九十")

    assert asked.terms == ["一二", "三四", "五六", "七八", "九十"]
    assert len(asked.whole) == 9


@given(st.text("天気予報oil ", min_size=1, max_size=30), st.data())
def test_every_part_of_a_text_without_spaces_finds_it(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    part = text[start : data.draw(st.integers(start + 1, len(text)))]
    if part.strip() and not any(letter in "oil" for letter in part):
        assert finds(part, text)


@given(st.text("oil OILß<>&ﬁ ", max_size=300))
def test_the_parts_of_an_excerpt_are_the_text_without_gaps(text: str) -> None:
    asked = asked_words("oil")
    parts = excerpt(text, asked)

    assert bool(parts) is asked.matches(words_of(text))
    assert all(part.text for part in parts)
    assert all(asked.matches(words_of(part.text)) for part in parts if part.found)


LETTERS = st.text("abB1_ -ä", max_size=30)


@given(LETTERS, LETTERS)
def test_a_text_of_ascii_is_searched_as_if_it_were_not(text: str, query: str) -> None:
    asked = asked_words(query)
    words = words_of(text)
    beyond = "ß"  # a word of its own, so that the others are compared one by one

    found = [part.text for part in excerpt(text, asked) if part.found]
    slowly = [part.text for part in excerpt(f"{text} {beyond}", asked) if part.found]

    assert found == slowly
    assert asked.may_be_in([text]) or not asked.matches(words)


def test_a_text_that_lacks_a_word_is_known_to_before_its_words_are_compared() -> None:
    assert not asked_words("launch checklists").may_be_in(["Launch", "the checklist"])
    assert asked_words("launch checkl").may_be_in(["Launch", "the checklist"])
    assert asked_words("launch").may_be_in(["Überlaunch"])  # only its words tell
