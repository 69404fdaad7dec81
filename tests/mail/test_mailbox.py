"""The mailbox of a development system."""

import os
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

from mail.mailbox import Mailbox


def test_the_mail_that_was_kept_last_is_shown_first_whatever_its_id(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path)
    ids = [UUID(int=number) for number in (2, 9, 1)]
    for at, mail_id in enumerate(ids):
        message = EmailMessage()
        message["To"], message["Subject"] = "eve@acme.example", f"mail {at}"
        message.set_content("Hello")
        mailbox.keep(str(mail_id), message)
        kept = tmp_path / "mailbox" / f"{mail_id}.eml"
        os.utime(kept, ns=(at, at))

    assert [mail.id for mail in mailbox.newest()] == ids[::-1]
