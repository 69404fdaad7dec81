"""Generate the pages of docs/reference that are derived from the code.

    python -m tools.catalog [PAGE ...]

Without arguments, all of them (`make docs`). A test compares each with its file.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.architecture import architecture_page
from tools.behaviours import behaviours_page
from tools.command_line import command_line_page
from tools.errors import errors_page
from tools.events import events_page
from tools.http import http_page, openapi_json
from tools.monitoring import monitoring_page
from tools.ocsf import ocsf_page
from tools.permissions import permissions_page
from tools.settings import settings_page

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"

PAGES: dict[str, Callable[[], str]] = {
    "architecture.md": architecture_page,
    "behaviours.md": behaviours_page,
    "cli.md": command_line_page,
    "errors.md": errors_page,
    "events.md": events_page,
    "http.md": http_page,
    "monitoring.md": monitoring_page,
    "openapi.json": openapi_json,
    "ocsf.md": ocsf_page,
    "permissions.md": permissions_page,
    "settings.md": settings_page,
}
"""By file name in docs/reference; each page is generated only when needed."""


def main(names: Sequence[str]) -> int:
    """Write the given pages, or all; return 2 if a name is unknown."""
    unknown = set(names) - set(PAGES)
    if unknown:
        print(f"no such page: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    for name in names or PAGES:
        (REFERENCE / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
