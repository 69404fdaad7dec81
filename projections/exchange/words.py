"""Words of texts: which of them a search compares, and where they stand.

Words are compared in Unicode's form NFKC and without regard to case. An index has them whole, and
their beginnings in two lengths, so that one text in it also answers for the beginning of a word:
the newest come first without sorting, however many words begin alike. Beginnings of other lengths
are compared when what was found is read.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple
from unicodedata import normalize

from domain.base import ERASED

WORDS_MAX = 200
"""How many different words of a text are found: its first ones."""
SEARCHED_CHARS_MAX = 10_000
"""In how many characters of a text, from its beginning, words are found."""
WORD_CHARS_MAX = 40
"""How many characters of a word are compared."""
BEGINNINGS = (3, 5)
"""How long the beginnings of words are that are stored, in characters."""
EXCERPT_CHARS = 200
"""How long an excerpt is, in characters; up to ``_BEFORE`` stand before its first word."""
_BEFORE = 40
_BEGINS = "*"
"""Marks the beginning of a word, which no whole word ends with."""
_WORD = re.compile(r"\w+")


class Word(NamedTuple):
    """A word as it is compared, and where it stands."""

    text: str
    start: int
    end: int


class Passage(NamedTuple):
    """A part of an excerpt, and whether it is a word that was searched for."""

    text: str
    found: bool


class SearchWords(NamedTuple):
    """What somebody searches for: whole words, and the beginning of one (empty for none)."""

    whole: tuple[str, ...]
    beginning: str

    @property
    def terms(self) -> list[str]:
        """The terms that a text must have, each once."""
        return [*self.whole, *_beginnings(self.beginning)[-1:]]

    def matches(self, words: Iterable[str]) -> bool:
        """Return whether a text with *words* is searched for."""
        there = set(words)
        return there.issuperset(self.whole) and (
            not self.beginning or any(each.startswith(self.beginning) for each in there)
        )

    def finds(self, word: str) -> bool:
        """Return whether *word* is one of those that are searched for."""
        return word in self.whole or bool(self.beginning and word.startswith(self.beginning))


def asked_words(query: str) -> SearchWords:
    """Return what *query* searches for: its words, of which the last may only begin.

    A last word of less than 3 characters is a whole one. Without any word, there are no ``terms``.
    """
    words = [word.text for word in _words(_normal(query))]
    if not words or len(words[-1]) < BEGINNINGS[0]:
        return SearchWords(tuple(dict.fromkeys(words)), "")
    return SearchWords(tuple(dict.fromkeys(words[:-1])), words[-1])


def words_of(*texts: str) -> list[str]:
    """Return the words by which *texts* are found together, each once; none of an erased text."""
    words = dict.fromkeys(_all(texts))
    return [*islice(words, WORDS_MAX)]


def terms_of(*texts: str) -> list[str]:
    """Return the words by which *texts* are found together, and their beginnings, each once."""
    words = words_of(*texts)
    return [*words, *dict.fromkeys(term for word in words for term in _beginnings(word))]


def excerpt(text: str, asked: SearchWords) -> list[Passage]:
    """Return the part of *text*, in form NFKC, around the first word that was searched for.

    It is empty if there is none.
    """
    normal = _normal(text)
    found = (word for word in _words(normal) if asked.finds(word.text))
    first = next(found, None)
    if first is None:
        return []
    start = max(0, first.start - _BEFORE)
    end = max(start + EXCERPT_CHARS, first.end)
    parts: list[Passage] = []
    at = start
    for word in (first, *found):
        if word.end > end:
            break
        parts += [
            Passage(normal[at : word.start], False),
            Passage(normal[word.start : word.end], True),
        ]
        at = word.end
    parts.append(Passage(normal[at:end], False))
    return [part for part in parts if part.text]


def _beginnings(word: str) -> list[str]:
    """Return the beginnings of *word* that are stored, the longest last."""
    return [word[:length] + _BEGINS for length in BEGINNINGS if length <= len(word)]


def _all(texts: Iterable[str]) -> Iterator[str]:
    there = (text for text in texts if text != ERASED)
    return (word for text in there for word in _texts(_normal(text)))


def _texts(normal: str) -> Iterable[str]:
    """Return the words of a text as they are compared, without where they stand."""
    if normal.isascii():  # the usual case: lower case is all that there is to do, in one go
        return [word[:WORD_CHARS_MAX] for word in _WORD.findall(normal.lower())]
    return (word.text for word in _words(normal))


def _normal(text: str) -> str:
    return normalize("NFKC", text[:SEARCHED_CHARS_MAX])


def _words(normal: str) -> Iterator[Word]:
    for found in _WORD.finditer(normal):
        folded = normalize("NFKC", found[0].casefold())
        yield Word(folded[:WORD_CHARS_MAX], found.start(), found.end())
