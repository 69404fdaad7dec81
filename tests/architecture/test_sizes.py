"""Files and functions fit on a screen or few."""

from tests.architecture.sources import SOURCES, functions, short

FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 40


def test_no_file_is_longer_than_a_few_screens() -> None:
    lines = {short(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}

    assert {path: count for path, count in lines.items() if count > FILE_LINES_MAX} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    lines = {
        f"{short(path)}:{function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path in SOURCES
        for function in functions(path)
    }

    assert {name: count for name, count in lines.items() if count > FUNCTION_LINES_MAX} == {}
