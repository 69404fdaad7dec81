"""Print the part of requirements.lock that the image needs, with hashes.

    python -m tools.image_lock > image.lock

The lock file also contains linters and embedded servers. Starting from the dependencies in
pyproject.toml, this follows the installed packages, so that the image gets only what it needs, in
exactly the locked versions.
"""

import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.discover import ROOT

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==")


def needed(dependencies: Iterable[str]) -> set[str]:
    """Return the names of *dependencies* and of everything they need, including extras."""
    waiting = [Requirement(text) for text in dependencies]
    extras: dict[str, set[str]] = {}
    while waiting:
        wanted = waiting.pop()
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        name = canonicalize_name(wanted.name)
        asked = wanted.extras | {""}
        fresh = asked - extras.setdefault(name, set())
        extras[name] |= fresh
        for text in (requires(name) or ()) if fresh else ():
            below = Requirement(text)
            if below.marker is None or any(below.marker.evaluate({"extra": e}) for e in fresh):
                below.marker = None
                waiting.append(below)
    return set(extras)


def part_of(lock: str, names: set[str]) -> str:
    """Return the entries of *lock* for *names*.

    :raises ValueError: one of them is not locked.
    """
    entries = re.split(r"\n(?=\S)", lock.strip())
    pinned = ((_PINNED.match(entry), entry) for entry in entries)
    by_name = {str(canonicalize_name(found[1])): entry for found, entry in pinned if found}
    missing = names - set(by_name)
    if missing:
        raise ValueError(f"not in the lock: {', '.join(sorted(missing))}")
    return "\n".join(by_name[name] for name in sorted(names)) + "\n"


def main() -> int:
    """Write the result to standard output."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lock = (ROOT / "requirements.lock").read_text()
    sys.stdout.write(part_of(lock, needed(project["dependencies"])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
