"""How many stories the state machines try: few in CI, as many as MACHINE_EXAMPLES asks for."""

import os


def examples(few: int) -> int:
    """Return how many examples to try, *few* unless there is time for more."""
    return max(few, int(os.environ.get("MACHINE_EXAMPLES", "0")))
