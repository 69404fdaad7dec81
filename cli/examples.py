"""The layout of a command's help text."""

NAME = "trackrecord"
"""The name of the program."""


def examples(*arguments: str) -> str:
    """Return the end of a help text: each of *arguments* as a line to paste."""
    return "\n".join(["Examples:", *(f"    {NAME} {each}" for each in arguments)])


def paragraphs(text: str) -> str:
    """Return *text* with each paragraph on one line, so that the terminal breaks the lines."""
    return "\n\n".join(" ".join(each.split()) for each in text.split("\n\n"))
