"""A link gives out the file that it was made for, to nobody else and not for long."""

from datetime import timedelta
from uuid import UUID

from files.download_links import LINK_LIFETIME, DownloadLink, mint_link, read_link
from tests.domain.spec import ACME, ANA, NOW

KEY = b"k" * 32
LINK = DownloadLink(ACME, UUID(int=7), ANA)
UNTIL = NOW + LINK_LIFETIME
TOKEN = mint_link(KEY, LINK, UNTIL)


def test_a_link_says_what_it_was_made_for_until_it_expires() -> None:
    assert read_link(KEY, TOKEN, NOW) == LINK
    assert read_link(KEY, TOKEN, UNTIL - timedelta(seconds=1)) == LINK
    assert read_link(KEY, TOKEN, UNTIL) is None


def test_a_forged_link_says_nothing() -> None:
    other = mint_link(KEY, DownloadLink(ACME, UUID(int=8), ANA), UNTIL)
    said, _, mac = TOKEN.rpartition(".")
    longer = said.replace(str(int(UNTIL.timestamp())), str(int(UNTIL.timestamp()) + 60))

    for token in (
        "",
        "fl1",
        TOKEN + "A",
        TOKEN.upper(),
        f"{said}.{other.rpartition('.')[2]}",
        f"{longer}.{mac}",
        mint_link(b"j" * 32, LINK, UNTIL),
    ):
        assert read_link(KEY, token, NOW) is None, token
