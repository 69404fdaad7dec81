"""Where a running ``trackrecord up`` keeps its embedded stores, for commands beside it."""

import json
import os
from pathlib import Path

RUNNING_FILE = "running.json"
_URLS = ("EVENTS_URL", "MONGODB_URI", "REDIS_URL")


def settings_of_running() -> dict[str, str]:
    """Return the environment, completed with the stores of ``up`` in this DATA_DIR, if it runs."""
    found = Path(os.environ.get("DATA_DIR") or "data") / RUNNING_FILE
    urls: dict[str, str] = json.loads(found.read_text()) if found.exists() else {}
    return {**{name: urls[name] for name in _URLS if name in urls}, **os.environ}
