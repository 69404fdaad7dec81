"""Words of texts: which of them a search compares, and where they stand.

Words are compared in Unicode's form NFKC and without regard to case. An index has them whole, and
their beginnings in two lengths, so that one text in it also answers for the beginning of a word:
the newest come first without sorting, however many words begin alike. Beginnings of other lengths
are compared when what was found is read.

Chinese, Japanese, Thai, Lao, Khmer and Burmese put no spaces between words. Their texts are
compared by pairs of neighbouring characters, so that whatever stands in one is found, wherever a
word begins; a single character is found as the beginning of a pair.
"""

import re
from collections.abc import Collection, Iterable, Iterator
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
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai and Lao, Burmese, Khmer
    "\u3005-\u3007\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff"  # Japanese, without its middle dot
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
"""Characters of the scripts that put no spaces between words."""
_WORD = re.compile(rf"[{_UNSPACED}]+|[^\W{_UNSPACED}]+")
_UNSPACED_WORD = re.compile(f"[{_UNSPACED}]")


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
    """What somebody searches for: whole words, and the beginnings of others.

    ``looked_up`` are those of the whole words that an index is asked for; the others overlap them.
    """

    whole: tuple[str, ...]
    looked_up: tuple[str, ...]
    beginnings: tuple[str, ...]

    @property
    def terms(self) -> list[str]:
        """The terms that a text must have, each once."""
        begun = (term for each in self.beginnings for term in _beginnings(each)[-1:])
        return [*self.looked_up, *begun]

    def without(self, named: Collection[str]) -> "SearchWords":
        """Return what is left to look up once *named* words are known to be there."""
        return SearchWords(
            tuple(word for word in self.whole if word not in named),
            tuple(word for word in self.looked_up if word not in named),
            tuple(word for word in self.beginnings if word not in named),
        )

    def may_be_in(self, texts: Iterable[str]) -> bool:
        """Return whether *texts* together may have all words; it is quick to say that they do not.

        Many texts of a beginning in the index have none of the longer one that is searched for.
        """
        text = "\n".join(texts)
        if not text.isascii():  # only its words tell
            return True
        lower = text.lower()
        return all(word in lower for word in (*self.whole, *self.beginnings))

    def matches(self, words: Iterable[str]) -> bool:
        """Return whether a text with *words* is searched for."""
        there = set(words)
        return there.issuperset(self.whole) and all(
            any(each.startswith(beginning) for each in there) for beginning in self.beginnings
        )

    def found_in(self, word: Word) -> tuple[int, int] | None:
        """Return from where to where *word* is one that is searched for; None if it is not."""
        if word.text in self.whole:
            return word.start, word.end
        if not word.text.startswith(self.beginnings):
            return None
        return word.start, word.start + 1 if _is_unspaced(word.text) else word.end


def asked_words(query: str) -> SearchWords:
    """Return what *query* searches for: its words, of which the last may only begin.

    A last word of less than 3 characters is a whole one. Without any word, there are no ``terms``.
    """
    whole: list[str] = []
    looked_up: list[str] = []
    beginnings: list[str] = []
    normal = _normal(query)
    written = [*_WORD.finditer(normal)]
    for number, found in enumerate(written, start=1):
        if _is_unspaced(found[0]):
            pairs = [word.text for word in _pairs(found)][:-1]
            whole += pairs
            looked_up += [*pairs[::2], *pairs[-1:]]
            beginnings += [] if pairs else [found[0]]
            continue
        word = _folded(found)
        if number < len(written) or len(word) < BEGINNINGS[0]:
            whole.append(word)
            looked_up.append(word)
        else:
            beginnings.append(word)
    return SearchWords(_once(whole), _once(looked_up), _once(beginnings))


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
    places = _places(normal, asked)
    first = next(places, None)
    if first is None:
        return []
    start = max(0, first[0] - _BEFORE)
    end = max(start + EXCERPT_CHARS, first[1])
    parts: list[Passage] = []
    at = start
    for begin, until in _joined(first, places, end):
        parts += [Passage(normal[at:begin], False), Passage(normal[begin:until], True)]
        at = until
    parts.append(Passage(normal[at:end], False))
    return [part for part in parts if part.text]


def _places(normal: str, asked: SearchWords) -> Iterator[tuple[int, int]]:
    """Yield from where to where each word of a text stands that is searched for."""
    if not normal.isascii():
        found = (asked.found_in(word) for word in _words(normal))
        yield from (place for place in found if place is not None)
        return
    lower = normal.lower()  # the usual case: no word has to be folded by itself
    if any(word in lower for word in (*asked.whole, *asked.beginnings)):
        for each in _WORD.finditer(lower):
            word = each[0][:WORD_CHARS_MAX]
            if word in asked.whole or word.startswith(asked.beginnings):
                yield each.span()


def _joined(
    first: tuple[int, int], places: Iterable[tuple[int, int]], end: int
) -> list[tuple[int, int]]:
    """Return the places up to *end*, with those that overlap or touch in one."""
    joined = [first]
    for begin, until in places:
        if until > end:
            break
        if begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], until)
        else:
            joined.append((begin, until))
    return joined


def _beginnings(word: str) -> list[str]:
    """Return the beginnings of *word* that are stored, the longest last."""
    if _is_unspaced(word):
        return [word[0] + _BEGINS]
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
        if _is_unspaced(found[0]):
            yield from _pairs(found)
        else:
            yield Word(_folded(found), found.start(), found.end())


def _folded(found: re.Match[str]) -> str:
    return normalize("NFKC", found[0].casefold())[:WORD_CHARS_MAX]


def _pairs(found: re.Match[str]) -> Iterator[Word]:
    """Yield the pairs of neighbouring characters, and the last character alone."""
    for at in range(found.start(), found.end()):
        end = min(at + 2, found.end())
        yield Word(found.string[at:end], at, end)


def _is_unspaced(word: str) -> bool:
    return _UNSPACED_WORD.match(word) is not None


def _once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
