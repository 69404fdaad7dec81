"""Refuses configured secrets that somebody could guess."""

from itertools import pairwise

from security.derivation import SECRET_BYTES_MIN

DISTINCT_CHARACTERS_MIN = 8
"""128 random bits in hexadecimal have fewer than 8 distinct digits once in 10^8 times."""

REMAINDER_MIN = 16
"""What must remain of a secret once well-known words are removed."""

_SAMPLE_TEXT = """
    access admin change changeit changeme characters default demo dev development example for
    here insecure insert jwt key local long minimum never not passphrase password placeholder
    please production random refresh replace replaceme sample secret something string supersecret
    test testing this token trackrecord use value very with your
"""

SAMPLE_WORDS = sorted(_SAMPLE_TEXT.split(), key=len, reverse=True)
"""The words sample secrets are made of; longest first, or "test" would leave "ing" of "testing"."""


def weakness_of(secret: str) -> str | None:
    """Return why *secret* must not be used; None if nothing is wrong with it.

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
    """Return whether the secret is one part repeated, the last time perhaps cut short."""
    length = len(secret)
    return any(secret[period:] == secret[:-period] for period in range(1, length // 2 + 1))


def _is_sequence(secret: str) -> bool:
    """Return whether most characters follow their neighbours: abcd, 4321."""
    neighbours = sum(abs(ord(b) - ord(a)) == 1 for a, b in pairwise(secret))
    return neighbours * 2 > len(secret)


def _without_sample_words(secret: str) -> str:
    rest = "".join(character for character in secret.casefold() if character.isalnum())
    for word in SAMPLE_WORDS:
        rest = rest.replace(word, "")
    return rest
