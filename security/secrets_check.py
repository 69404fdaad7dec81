"""Refuses secrets that somebody could guess, before anything is signed with them."""

from itertools import pairwise

from security.derivation import SECRET_BYTES_MIN

DISTINCT_CHARACTERS_MIN = 8
"""128 random bits in hexadecimal have fewer than 8 distinct digits once in 10^8 times."""

REMAINDER_MIN = 16
"""What must be left of a secret when well-known words are taken out of it."""

_SAMPLE_TEXT = """
    access admin change changeit changeme characters default demo dev development example for
    here insecure insert jwt key local long minimum never not passphrase password placeholder
    please production random refresh replace replaceme sample secret something string supersecret
    test testing this token trackrecord use value very with your
"""

SAMPLE_WORDS = sorted(_SAMPLE_TEXT.split(), key=len, reverse=True)
"""What sample secrets are made of; longest first, or "test" would leave "ing" of "testing"."""


def weakness_of(secret: str) -> str | None:
    """Return why *secret* must not be used, or None if nothing is wrong with it.

    The reason is a phrase for the operator's log and never quotes the secret.
    """
    if len(secret.encode("utf-8", "surrogatepass")) < SECRET_BYTES_MIN:
        return f"is shorter than {SECRET_BYTES_MIN} bytes"
    if _is_repetition(secret):
        return "repeats a shorter text"
    if len(set(secret)) < DISTINCT_CHARACTERS_MIN:
        return f"has fewer than {DISTINCT_CHARACTERS_MIN} distinct characters"
    if _is_sequence(secret):
        return "is a sequence of neighbouring characters"
    if len(_without_sample_words(secret)) < REMAINDER_MIN:
        return "is a known sample value"
    return None


def _is_repetition(secret: str) -> bool:
    """Say whether the secret is one part written at least twice, the last time perhaps cut."""
    length = len(secret)
    return any(secret[period:] == secret[:-period] for period in range(1, length // 2 + 1))


def _is_sequence(secret: str) -> bool:
    """Say whether most characters are the neighbours of the ones before them: abcd, 4321."""
    neighbours = sum(abs(ord(b) - ord(a)) == 1 for a, b in pairwise(secret))
    return neighbours * 2 > len(secret)


def _without_sample_words(secret: str) -> str:
    rest = "".join(character for character in secret.casefold() if character.isalnum())
    for word in SAMPLE_WORDS:
        rest = rest.replace(word, "")
    return rest
