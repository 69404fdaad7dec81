"""Text in CSV files that spreadsheets open."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")  # noqa: RUF001 - wide forms


def plain_text(text: str) -> str:
    """Return *text* so that no spreadsheet takes it for a formula, as OWASP advises.

    ``text_of_cell`` returns it again, so an apostrophe that was there gets another one.
    """
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def text_of_cell(cell: str) -> str:
    """Return the text that ``plain_text`` has made *cell* of."""
    return cell[1:] if cell.startswith("'") and plain_text(cell) != cell else cell
