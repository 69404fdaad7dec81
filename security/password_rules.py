"""Which new passwords are refused because somebody could guess them.

After NIST SP 800-63B-4, section 3.1.1.2: a minimum length, a blocklist and what is known about the
user. No rules about digits or symbols, and no expiry.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path

from zxcvbn_rs_py import zxcvbn

LENGTH_MIN = 10
LENGTH_MAX = 256
"""In code points after NFC; long enough for any passphrase, short enough to hash quickly."""

SCORE_MIN = 3
"""zxcvbn's "safely unguessable": more than 10^8 guesses."""

SCORED_CHARS = 72
"""zxcvbn's time grows faster than the text; further characters can only add strength."""

CONTEXT_CHARS_MIN = 4
"""Shorter names occur inside too many words."""

RAW_CHARS_MAX = 4 * LENGTH_MAX
"""NFC joins at most four code points into one, so longer input need not be normalised."""

COMMON = frozenset(
    Path(__file__).with_name("common_passwords.txt").read_text(encoding="utf-8").split()
)


class Weakness(StrEnum):
    """Why a password is refused. API clients see these codes, so they never change."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    COMMON = "common"
    GUESSABLE = "guessable"
    CONTAINS_CONTEXT = "contains_context"


def weaknesses(password: str, *, context: Sequence[str], length_min: int = LENGTH_MIN) -> list[str]:
    """Return every ``Weakness`` of *password*; an empty list means that it is acceptable.

    *context* is what an attacker knows: e-mail address, name of the user, the organization, its
    subdomain and the product. A password that is too long is not checked further.
    """
    if len(password) > RAW_CHARS_MAX:
        return [Weakness.TOO_LONG]
    password = unicodedata.normalize("NFC", password)
    if len(password) > LENGTH_MAX:
        return [Weakness.TOO_LONG]
    found: list[str] = []
    if len(password) < length_min:
        found.append(Weakness.TOO_SHORT)
    if _is_common(password):
        found.append(Weakness.COMMON)
    words = list(_words(context))
    # The score is an enumeration at run time, although the library declares a number.
    if int(zxcvbn(password[:SCORED_CHARS], words).score) < SCORE_MIN:
        found.append(Weakness.GUESSABLE)
    if _contains(password, words):
        found.append(Weakness.CONTAINS_CONTEXT)
    return found


def _is_common(password: str) -> bool:
    """Return whether it is a common password, or one with digits or symbols around it.

    Case and other spellings of the same letters, such as full-width ones, make no difference.
    """
    folded = unicodedata.normalize("NFKC", password).casefold()
    core = folded.strip("0123456789!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ")
    return folded in COMMON or core in COMMON


def _words(context: Sequence[str]) -> Iterator[str]:
    """Yield the context's words and the local parts of its e-mail addresses."""
    for word in context:
        yield word
        if "@" in word:
            yield word.rpartition("@")[0]


def _contains(password: str, words: Sequence[str]) -> bool:
    """Return whether the password contains a word, ignoring case, spelling and separators."""
    squeezed = _squeezed(password)
    for word in map(_squeezed, words):
        if len(word) >= CONTEXT_CHARS_MIN and word in squeezed:
            return True
    return False


def _squeezed(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())
