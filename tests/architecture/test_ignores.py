"""Every silenced checker has a reason on the same line."""

import re
import tokenize

import pytest

from tests.architecture.sources import PYTHON, short

IGNORE = re.compile(
    r"# (?:type: ignore|pyright: ignore|noqa)\b(\[[^]]*\]|: [A-Z]+[0-9]+(?:, [A-Z]+[0-9]+)*)?(.*)"
)
REASON = re.compile(r"\s*(?:[-#]\s*|\()?\w.{5,}")


def test_every_ignore_names_its_code_and_its_reason() -> None:
    found: list[str] = []
    for path in PYTHON:
        if not IGNORE.search(path.read_text()):
            continue  # splitting a file into tokens takes long
        with path.open("rb") as file:
            for token in tokenize.tokenize(file.readline):
                match = IGNORE.match(token.string) if token.type == tokenize.COMMENT else None
                if match and not (match[1] and REASON.match(match[2])):
                    found.append(f"{short(path)}:{token.start[0]} {token.string}")

    assert found == []


@pytest.mark.parametrize(
    "comment", ["# noqa", "# noqa: S603", "# type: ignore[arg-type]", "# type: ignore  # because"]
)
def test_a_bare_ignore_is_found(comment: str) -> None:
    match = IGNORE.match(comment)

    assert match
    assert not (match[1] and REASON.match(match[2]))
