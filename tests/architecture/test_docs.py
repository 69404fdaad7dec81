"""What can be checked on the pages: links, decisions, code, routes."""

import ast
import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

from cli.__main__ import command_line
from tests.architecture.sources import PAGES, PROJECT, ROOT, short
from tools.http import METHODS, description

DOCS = ROOT / "docs"
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))
WRITTEN = [page for page in PAGES if page.parent != DOCS / "reference"]

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTIONS = ("Context", "Decision", "Alternatives", "Consequences", "How we would notice")
ADR_LINES_MAX = 70
KINDS = {"tutorial", "how-to", "reference", "explanation", "decisions"}


class Block(NamedTuple):
    """A code block on a page."""

    page: Path
    kind: str
    text: str


def _blocks(*kinds: str) -> list[Block]:
    return [
        Block(page, kind, text)
        for page in WRITTEN
        for kind, text in FENCE.findall(page.read_text(encoding="utf-8"))
        if kind in kinds
    ]


COMMANDING = [b for b in _blocks("sh") if re.search(r"\bmake\b|trackrecord |python -m", b.text)]
LINKING = [page for page in PAGES if LINK.search(page.read_text(encoding="utf-8"))]
REQUESTING = [block for block in _blocks("sh") if "/api/" in block.text]


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "")).strip().lower().replace(" ", "-")


@pytest.mark.parametrize("page", LINKING, ids=short)
def test_every_relative_link_has_a_target(page: Path) -> None:
    broken: list[str] = []
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        there = (page.parent / target).resolve() if target else page
        if not there.exists():
            broken.append(link)
        elif anchor and there.suffix == ".md":
            headings = HEADING.findall(there.read_text(encoding="utf-8"))
            if anchor not in map(_anchor, headings):
                broken.append(link)

    assert broken == []


def test_the_docs_folder_has_the_expected_sections() -> None:
    assert {path.name for path in DOCS.iterdir() if path.is_dir()} == KINDS


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(page.name[:4]) for page in DECISIONS]

    assert numbers == list(range(1, len(numbers) + 1))
    assert all(re.fullmatch(r"\d{4}(-[a-z0-9]+)+\.md", page.name) for page in DECISIONS)


@pytest.mark.parametrize("page", DECISIONS, ids=short)
def test_a_decision_has_its_status_and_its_sections_on_one_page(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    sections = [line[3:] for line in lines if line.startswith("## ")]

    assert re.fullmatch(rf"# {int(page.name[:4])}\. .+", lines[0])
    assert re.fullmatch(r"(Accepted|Superseded by \d{4}), \d{4}-\d{2}-\d{2}", lines[2])
    assert tuple(sections) == SECTIONS
    assert len(lines) <= ADR_LINES_MAX


def test_every_decision_is_in_the_list() -> None:
    listed = (DOCS / "README.md").read_text(encoding="utf-8")

    assert [p.name for p in DECISIONS if f"decisions/{p.name}" not in listed] == []


@pytest.mark.parametrize("block", _blocks("python"), ids=lambda b: f"{b.page.stem}")
def test_python_on_a_page_parses_and_imports_only_what_exists(block: Block) -> None:
    namespace: dict[str, object] = {}
    for node in ast.parse(block.text).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            exec(compile(ast.Module([node], []), str(block.page), "exec"), namespace)  # noqa: S102 - runs the imports of a page


@pytest.mark.parametrize("block", COMMANDING, ids=lambda b: f"{b.page.stem}")
def test_a_command_on_a_page_exists(block: Block) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for words in _commands(block.text):
        match words:
            case ["make", *asked]:
                assert {a for a in asked if "=" not in a} <= targets
            case [program, *arguments] if program.rpartition("/")[2] == "trackrecord":
                command_line().parse_args(arguments)
            case [("python" | ".venv/bin/python"), "-m", module, *_]:
                assert find_spec(module) is not None
            case _:
                pass


@pytest.mark.parametrize("block", REQUESTING, ids=lambda b: f"{b.page.stem}")
def test_a_request_on_a_page_goes_to_a_route_that_exists(block: Block) -> None:
    paths = description()["paths"]
    for words in _commands(block.text):
        for word in (w for w in words if "/api/" in w and words[0] in {"ask", "curl"}):
            path = "/api/" + word.partition("/api/")[2].partition("?")[0]
            method = _method(words)
            assert method in METHODS
            assert any(
                method in item and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", known), path)
                for known, item in {**paths, "/api/openapi.json": {"get"}}.items()
            ), f"{method.upper()} {path}"


def test_the_readme_starts_with_its_two_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    first = FENCE.findall(readme)[0]

    assert first[0] == "sh"
    assert [words for words in _commands(first[1]) if words[0] == "make"] == [
        ["make", "run"],
        ["make", "test"],
    ]


def test_the_changelog_has_the_current_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert "## Unreleased" in changelog or f"## {PROJECT['project']['version']}" in changelog
    assert "### Stored events" in changelog


def _commands(block: str) -> Iterator[list[str]]:
    """Yield the commands of a shell block as words, without assignments and pipes."""
    joined = re.sub(r"\\\n\s*", " ", block)
    for line in joined.splitlines():
        inner = re.sub(r"^\s*(export )?[A-Z_]+=\$\((.*)$", r"\2", line.strip())
        words = shlex.split(inner.replace("$(", "").removesuffix(")"), comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        cut = next((at for at, word in enumerate(words) if word in _GOES_ON), len(words))
        if cut:
            yield words[:cut]


_GOES_ON = {"|", "||", "&&", "&", ">", ">>", ";"}


def _method(words: list[str]) -> str:
    if "-X" in words:
        return words[words.index("-X") + 1].lower()
    return "post" if {"-d", "--data", "--json"} & set(words) else "get"
