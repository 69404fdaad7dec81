"""The secrets generated outside production, kept in a file that only its owner can read."""

import json
import os
import secrets
import stat
from pathlib import Path

import msgspec

from runtime.setting import EventsUrl

SECRETS_FILE = "secrets.json"
ROTATING = (
    "JWT_NEXT_SECRET",
    "JWT_PREVIOUS_SECRET",
    "MASTER_PREVIOUS_KEY",
    "PASSWORD_PEPPER",
    "PASSWORD_PREVIOUS_PEPPER",
)
"""Secrets that may be empty: most are set only while a key is rotated."""

SECRET_NAMES = ("JWT_ACCESS_SECRET", "JWT_REFRESH_SECRET", "MASTER_KEY", "LOG_SECRET")
DATA_DIR_MODE = 0o700
OUR_FILES = ("*.db", "*.db-wal", "*.db-shm", "*.json", "*.log")
"""Files in the data directory that nobody else may read."""
_SQLITE = "sqlite:///"


class SecretsLost(Exception):
    """The log exists, but the secrets that it was written with do not."""


def kept_secrets(data_dir: Path, events_url: EventsUrl, *, generate: bool = True) -> dict[str, str]:
    """Return the secrets of *data_dir*; generate them if neither they nor a log exist.

    New secrets for an old log would leave its personal data unreadable and its signatures
    unverifiable, without anybody noticing at first.

    :raises SecretsLost: *events_url* names an existing file, but there are no secrets.
    :raises ValueError: the file does not contain all of them.
    """
    path = data_dir / SECRETS_FILE
    if path.exists():
        return _read(path)
    if (
        events_url.startswith(_SQLITE)
        and Path(events_url.removeprefix(_SQLITE).partition("?")[0]).exists()
    ):
        raise SecretsLost(
            f"{path} is missing, but the log {events_url} was written with its keys;"
            " restore that file, or set the secrets"
        )
    if not generate:
        raise SecretsLost(f"{path} is missing; nothing was started in this directory yet")
    make_private(data_dir)
    # Exclusive: if two first starts race, one creates the file and the other reads it.
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    made = {name: secrets.token_urlsafe(48) for name in SECRET_NAMES}
    with os.fdopen(file, "w") as writing:
        json.dump(made, writing)
    return made


def make_private(directory: Path) -> None:
    """Create *directory* unless it exists, and make it accessible only to its owner.

    Directories with the sticky bit, like /tmp, are meant to be shared and left alone.
    """
    directory.mkdir(mode=DATA_DIR_MODE, parents=True, exist_ok=True)
    found = directory.stat()
    if found.st_uid == os.getuid() and not found.st_mode & stat.S_ISVTX:
        directory.chmod(DATA_DIR_MODE)
    for name in OUR_FILES:
        for path in directory.glob(name):
            path.chmod(0o600)


def _read(path: Path) -> dict[str, str]:
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except (msgspec.DecodeError, OSError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    if missing := [name for name in SECRET_NAMES if name not in kept]:
        raise ValueError(f"{path} lacks {', '.join(missing)}")
    return kept
