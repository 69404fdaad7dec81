"""One word per concept: the glossary's terms are in use, and older words for them are not."""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.sources import PAGES, PYTHON, ROOT, SOURCES, short

GLOSSARY = ROOT / "docs" / "glossary.md"

REPLACED = {
    "tenant": "organization",
    "house": "system",
    "sealer": "cipher",
    "facts": "client info, details, summary or figures",
    "floors": "layers",
    "anew": "again",
    "doer": "actor",
    "watermark": "checkpoint",
    "workspace": "organization",
}
"""Words for concepts of the glossary that are no longer used, and those written instead."""

OF_OTHERS = ("tenant_uid",)
"""Names of members in the formats of others."""


def _terms() -> list[str]:
    rows = GLOSSARY.read_text(encoding="utf-8").splitlines()
    return [row.split("|")[1].strip().strip("*").lower() for row in rows if row.startswith("| **")]


TERMS = _terms()


@cache
def words_of(path: Path) -> frozenset[str]:
    """Return the words of a file in lower case; names are split at capitals and underscores."""
    text = re.sub(r"([a-z])([A-Z])", r"\1 \2", path.read_text(encoding="utf-8"))
    for name in OF_OTHERS:
        text = text.replace(name, "")
    return frozenset(re.findall(r"[a-z]+", text.lower()))


def test_the_glossary_has_every_term_once_and_in_order() -> None:
    assert len(TERMS) > 30
    assert sorted(set(TERMS)) == TERMS


@pytest.mark.parametrize("term", TERMS)
def test_a_term_of_the_glossary_is_used_in_the_code(term: str) -> None:
    words = set(term.split())

    assert [path for path in SOURCES if words <= words_of(path)] != []


@pytest.mark.parametrize("word", REPLACED)
def test_a_replaced_word_is_used_nowhere(word: str) -> None:
    here = Path(__file__)

    assert [short(p) for p in (*PYTHON, *PAGES) if p != here and word in words_of(p)] == []
