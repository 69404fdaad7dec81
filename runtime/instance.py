"""The identity of a running system: tells one's own processes from somebody else's."""

import os
from functools import cache
from uuid import uuid4

INSTANCE_ID = "INSTANCE_ID"
"""The variable by which ``up`` names itself to its processes."""


@cache
def instance_id() -> str:
    """Return the id that ``up`` gave to its processes, else one of this process."""
    return os.environ.get(INSTANCE_ID) or uuid4().hex
