"""Whoever reacts to a comment does so once with each emoji, and with emoji only."""

import re
from uuid import UUID

import emoji
import pytest

from domain.base import UserId
from domain.work.comment import Comment, ReactionAdded, ReactionRemoved
from domain.work.reaction import EMOJI, EMOJI_MAX, REACTIONS_MAX, TooManyReactions, by_emoji
from tests.commands.acme import comment
from tests.domain.spec import ANA, BEN, TASK, given

SAID = given(Comment(), comment())
PATTERN = re.compile(str(EMOJI.pattern))


def test_every_emoji_of_unicode_is_one() -> None:
    assert len(emoji.EMOJI_DATA) > 5_000
    assert [one for one in emoji.EMOJI_DATA if not PATTERN.search(one)] == []
    assert max(map(len, emoji.EMOJI_DATA)) <= (EMOJI.max_length or 0)


@pytest.mark.parametrize(
    "text", ["", "a", "1", "#", "👍👍", "👍a", "a👍", "👍\n", "é", "中", "\u200d"]
)
def test_nothing_else_is(text: str) -> None:
    assert PATTERN.search(text) is None


def test_two_forms_of_an_emoji_are_one() -> None:
    liked = given(SAID, ReactionAdded(task_id=TASK, emoji="❤️", user_id=ANA, author=ANA))

    assert liked.react(ANA, "❤") == []
    both = given(liked, *liked.react(BEN, "❤"))
    [shown] = by_emoji(both.reactions)
    assert (shown.emoji, shown.users) == ("❤️", [ANA, BEN])
    assert both.take_back(ANA, "❤") == [ReactionRemoved(task_id=TASK, emoji="❤", user_id=ANA)]
    assert given(both, *both.take_back(ANA, "❤"), *both.take_back(BEN, "❤️")) == SAID


def test_a_comment_has_only_so_many_reactions() -> None:
    full = SAID
    for at in range(EMOJI_MAX):
        full = given(full, *full.react(ANA, chr(0x1F400 + at)))
    with pytest.raises(TooManyReactions):
        full.react(BEN, "👍")
    assert full.react(BEN, chr(0x1F400)) != []

    crowd = [
        ReactionAdded(task_id=TASK, emoji="👍", user_id=UserId(UUID(int=at + 1_000)), author=ANA)
        for at in range(REACTIONS_MAX)
    ]
    popular = given(SAID, *crowd)
    with pytest.raises(TooManyReactions):
        popular.react(ANA, "👍")
    assert popular.react(ANA, "🎉") != []
