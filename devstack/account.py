"""The unprivileged account for a server that refuses to run as root."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Account:
    """A user of this machine, with its primary group only."""

    name: str
    uid: int
    gid: int

    @classmethod
    def first_of(cls, *names: str) -> Self | None:
        """Return the first of these accounts that exists here, or None."""
        for name in names:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(name, entry.pw_uid, entry.pw_gid)
        return None

    def can_reach(self, path: Path) -> bool:
        """Tell whether every directory above `path` lets this account through.

        Reads the classic permission bits only; an access list may say more than they do.
        """
        return all(self._may_enter(parent) for parent in path.resolve().parents)

    def own(self, directory: Path) -> None:
        """Give `directory` to this account alone."""
        os.chown(directory, self.uid, self.gid)
        directory.chmod(stat.S_IRWXU)

    def _may_enter(self, directory: Path) -> bool:
        found = directory.stat()
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        if found.st_gid == self.gid:
            return bool(found.st_mode & stat.S_IXGRP)
        return bool(found.st_mode & stat.S_IXOTH)
