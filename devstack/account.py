"""The unprivileged account for servers that refuse to run as root."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Account:
    """A user of this machine with its primary group."""

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
        """Return whether the account can pass every directory above `path`.

        Reads only the classic permission bits; an access control list may say more.
        """
        return all(self._may_enter(parent) for parent in path.resolve().parents)

    def own(self, directory: Path) -> None:
        """Make `directory` accessible to this account only."""
        os.chown(directory, self.uid, self.gid)
        directory.chmod(stat.S_IRWXU)

    def _may_enter(self, directory: Path) -> bool:
        found = directory.stat()
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        if found.st_gid == self.gid:
            return bool(found.st_mode & stat.S_IXGRP)
        return bool(found.st_mode & stat.S_IXOTH)
