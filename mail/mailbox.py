"""The mailbox of a development system: mails as files, to be read instead of being sent."""

import os
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

from msgspec import Struct

FOLDER = "mailbox"
KEPT_MAILS_MAX = 100


class KeptMail(Struct, frozen=True, rename="camel"):
    """A mail that was kept."""

    id: UUID
    to: str
    subject: str
    text: str


class Mailbox:
    """The mails in a folder of ``DATA_DIR``, one file each."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER

    def keep(self, mail_id: str, message: EmailMessage) -> None:
        """Keep a mail; keeping it again changes nothing."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{mail_id}.eml"
        half = path.with_suffix(".half")
        half.write_bytes(message.as_bytes())
        os.replace(half, path)

    def newest(self) -> list[KeptMail]:
        """Return the newest mails, at most ``KEPT_MAILS_MAX``."""
        # By the time of the file: an id is made of what happened, not of when.
        kept = sorted(self._folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
        return list(self._read([path.stem for path in reversed(kept)][:KEPT_MAILS_MAX]))

    def one(self, mail_id: UUID) -> KeptMail | None:
        """Return one mail, None if there is no such."""
        return next(self._read([str(mail_id)]), None)

    def _read(self, names: list[str]) -> Iterator[KeptMail]:
        for name in names:
            path = self._folder / f"{name}.eml"
            if path.is_file():
                message = message_from_bytes(path.read_bytes(), policy=policy.default)
                to, subject = str(message["To"]), str(message["Subject"])
                yield KeptMail(UUID(name), to, subject, str(message.get_content()))
