"""The error of a command that could not do its work."""


class CommandFailed(Exception):
    """One sentence for the operator, and the exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code
