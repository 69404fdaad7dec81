"""API keys: well-formed, unique, and found by their public id only."""

import random
import re

import pytest

from security.api_keys import KEY_PATTERN, KEY_PREFIX, ApiKeys, is_key, without_keys
from tests.architecture.sources import ROOT, files

KEYS = ApiKeys(b"pepper")
MADE = KEYS.new()
MUTATIONS = 20_000


def test_a_new_key_reads_as_what_it_is() -> None:
    presented = KEYS.read(MADE.text)

    assert presented is not None
    assert (presented.key_id, presented.hash) == (MADE.key_id, MADE.hash)
    assert is_key(presented, [MADE.hash])
    assert MADE.text.startswith(KEY_PREFIX + MADE.key_id)
    assert MADE.text.endswith(MADE.last4)
    assert re.fullmatch(KEY_PATTERN, MADE.text)


def test_keys_are_never_alike() -> None:
    made = [KEYS.new() for _ in range(500)]

    assert len({each.text[-38:] for each in made}) == len({each.key_id for each in made}) == 500


def test_a_new_secret_for_a_key_keeps_its_public_id() -> None:
    again = KEYS.new(MADE.key_id)

    assert again.key_id == MADE.key_id
    assert again.hash != MADE.hash
    presented = KEYS.read(again.text)
    assert presented is not None
    assert not is_key(presented, [MADE.hash])


def test_the_hash_depends_on_the_pepper() -> None:
    presented = ApiKeys(b"another").read(MADE.text)

    assert presented is not None
    assert not is_key(presented, [MADE.hash])


def test_no_key_matches_no_hash() -> None:
    presented = KEYS.read(MADE.text)

    assert presented is not None
    assert not is_key(presented, [])
    assert not is_key(presented, [""])


def test_mistyped_keys_are_malformed() -> None:
    chance = random.Random(7)  # noqa: S311 - nothing secret
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_- é"
    for _ in range(MUTATIONS):
        place = chance.randrange(len(MADE.text))
        text = MADE.text[:place] + chance.choice(letters) + MADE.text[place + 1 :]
        assert text == MADE.text or KEYS.read(text) is None


@pytest.mark.parametrize(
    "text", ["", KEY_PREFIX, MADE.text + "0", MADE.text[:-1], f" {MADE.text}", f"{MADE.text}\n"]
)
def test_what_has_another_form_is_malformed(text: str) -> None:
    assert KEYS.read(text) is None


def test_swapped_characters_are_noticed() -> None:
    text = MADE.text
    swapped = {text[:n] + text[n + 1] + text[n] + text[n + 2 :] for n in range(8, len(text) - 1)}

    assert [other for other in swapped - {text} if KEYS.read(other) is not None] == []


def test_only_the_public_part_of_a_key_is_left_in_a_text() -> None:
    left = f"/api/project/{KEY_PREFIX}{MADE.key_id}…/tasks"

    assert without_keys(f"/api/project/{MADE.text}/tasks") == left
    assert MADE.text[-20:] not in without_keys(MADE.text + "more")
    assert without_keys("/api/project") == "/api/project"


def test_no_key_stands_in_the_repository() -> None:
    found = [
        path
        for path in files(ROOT)
        if path.suffix in {".py", ".md", ".json", ".yml", ".toml", ".txt"}
        if any(KEYS.read(key) for key in re.findall(KEY_PATTERN, path.read_text("utf-8")))
    ]

    assert found == []
