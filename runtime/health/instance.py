"""The identity of a running system, which distinguishes our processes from others."""

import os
from functools import cache
from uuid import uuid4

INSTANCE_ID = "INSTANCE_ID"
"""The variable with which ``up`` passes its id to its processes."""


@cache
def instance_id() -> str:
    """Return the id that ``up`` gave to its processes, or else a new one."""
    return os.environ.get(INSTANCE_ID) or uuid4().hex
