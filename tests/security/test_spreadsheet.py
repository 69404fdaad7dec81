"""No cell of a CSV file is taken for a formula."""

import pytest

from security.spreadsheet import plain_text, text_of_cell


@pytest.mark.parametrize("first", [*"=+-@\t\r\n\0", "\uff1d"])
def test_a_cell_that_a_spreadsheet_would_compute_is_quoted(first: str) -> None:
    text = f"{first}1"

    assert plain_text(text) == f"'{text}"
    assert plain_text("1=1") == "1=1"


@pytest.mark.parametrize("text", ["=1", "'=1", "''=1", "'", "'a", "", "a", "-5", "'\t"])
def test_a_cell_gives_its_text_back(text: str) -> None:
    assert text_of_cell(plain_text(text)) == text
