"""Files, classes, functions and folders stay below their size limits."""

import ast
from collections import Counter

from tests.architecture.sources import PYTHON, SOURCES, functions, nodes, short

FILE_LINES_MAX = 300
CLASS_LINES_MAX = 200
FUNCTION_LINES_MAX = 40
FILES_IN_A_FOLDER_MAX = 20


def test_no_file_is_longer_than_the_limit() -> None:
    lines = {short(path): len(path.read_text(encoding="utf-8").splitlines()) for path in PYTHON}

    assert {path: count for path, count in lines.items() if count > FILE_LINES_MAX} == {}


def test_no_class_is_longer_than_the_limit() -> None:
    lines = {
        f"{short(path)}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in SOURCES
        for node in nodes(path)
        if isinstance(node, ast.ClassDef)
    }

    assert {name: count for name, count in lines.items() if count > CLASS_LINES_MAX} == {}


def test_no_folder_has_more_files_than_the_limit() -> None:
    files = Counter(short(path.parent) for path in PYTHON if path.stem != "__init__")

    assert {name: count for name, count in files.items() if count > FILES_IN_A_FOLDER_MAX} == {}


def test_no_function_is_longer_than_the_limit() -> None:
    lines = {
        f"{short(path)}:{function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path in SOURCES
        for function in functions(path)
    }

    assert {name: count for name, count in lines.items() if count > FUNCTION_LINES_MAX} == {}
