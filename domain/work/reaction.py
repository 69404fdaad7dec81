"""Reaction: an emoji with which somebody answers a comment without a word.

Invariants
    1. Nobody reacts twice with one emoji; a repeated reaction records nothing.
    2. An emoji is the same with and without the mark that asks for its coloured form (U+FE0F).
    3. A comment has at most 20 emoji, and at most 1,000 people react with one.
"""

from uuid import UUID

from msgspec import Struct

from domain.base import DomainError, Refusal, UserId
from domain.patterned import patterned

EMOJI_MAX = 20
"""How many different emoji a comment has at most."""
REACTIONS_MAX = 1_000
"""How many people react to a comment with the same emoji at most."""

_BASE = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe"
    "\u2600-\u27bf\u2934\u2935\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5"
    "\U0001f200-\U0001f3fa\U0001f400-\U0001faff]"
)
_COLOURED = "\ufe0f"
_ONE = f"{_BASE}(?:{_COLOURED}|[\U0001f3fb-\U0001f3ff])?[\U000e0020-\U000e007f]{{0,8}}"
_FLAG = "[\U0001f1e6-\U0001f1ff]{2}"
_KEYCAP = f"[0-9#*]{_COLOURED}?\u20e3"
_SKIN = "[\U0001f3fb-\U0001f3ff]"
EMOJI = patterned(
    f"^(?:{_ONE}(?:\u200d{_ONE})*|{_FLAG}|{_KEYCAP}|{_SKIN})$", "one emoji, such as 👍", 16
)
"""One emoji as https://unicode.org/reports/tr51/ (section 1.4.9) puts it together: characters of
the blocks with emoji, joined, with tones of skin, as flags and as keycaps. The longest in Unicode
17 has 10 characters."""


class Reaction(Struct, frozen=True, gc=False):
    """Who reacted to a comment with an emoji, the first one first."""

    emoji: str
    users: list[UserId]


def reaction_key(emoji: str, user_id: UserId) -> str:
    """Return what two people who react change independently of each other."""
    return f"reactions:{_plain(emoji)}:{user_id}"


def with_reaction(reactions: tuple[str, ...], emoji: str, user_id: UserId) -> tuple[str, ...]:
    """Return *reactions* with one more, as text: a read model holds no other lists."""
    return (*reactions, f"{emoji}:{user_id}")


def without_reaction(reactions: tuple[str, ...], emoji: str, user_id: UserId) -> tuple[str, ...]:
    """Return *reactions* without one of them."""
    gone = f"{_plain(emoji)}:{user_id}"
    return tuple([each for each in reactions if _plain(each) != gone])


def by_emoji(reactions: tuple[str, ...]) -> list[Reaction]:
    """Return *reactions* by emoji, in the form and in the order in which each came first."""
    found: dict[str, Reaction] = {}
    for each in reactions:
        emoji, _, user = each.rpartition(":")
        found.setdefault(_plain(emoji), Reaction(emoji, [])).users.append(UserId(UUID(user)))
    return [*found.values()]


def refuse_if_many(reactions: tuple[str, ...], emoji: str) -> None:
    """Refuse one more reaction if a comment has as many as it can have.

    :raises TooManyReactions: it has.
    """
    used = by_emoji(reactions)
    same = [each for each in used if _plain(each.emoji) == _plain(emoji)]
    if (same and len(same[0].users) >= REACTIONS_MAX) or (not same and len(used) >= EMOJI_MAX):
        raise TooManyReactions


def has_reacted(reactions: tuple[str, ...], emoji: str, user_id: UserId) -> bool:
    """Return whether somebody reacted with *emoji*."""
    wanted = f"{_plain(emoji)}:{user_id}"
    return any(_plain(each) == wanted for each in reactions)


def _plain(text: str) -> str:
    """Return *text* without the marks that ask for the coloured form of an emoji."""
    return text.replace(_COLOURED, "")


class TooManyReactions(DomainError):
    """A comment can have at most 20 different emoji, each from at most 1,000 people."""

    code = "too_many_reactions"
    refusal = Refusal.CONFLICT
