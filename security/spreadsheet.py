"""Text in CSV files that spreadsheets open."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")  # noqa: RUF001 - wide forms


def plain_text(text: str) -> str:
    """Return *text* so that no spreadsheet takes it for a formula, as OWASP advises."""
    return f"'{text}" if text.startswith(_FORMULA) else text
