"""Pages that were completed are shown again only while they would be the same."""

from api.work.tasks.completed import COMPLETED_BYTES_MAX, COMPLETED_MAX, CompletedPages
from tests.domain.spec import ANA, BEN, HOUR, NOW

SEEN = (b"stored", ANA, "UTC")


def test_a_page_is_known_to_whom_it_was_shown_while_it_stays_the_same() -> None:
    pages = CompletedPages()
    pages.keep(SEEN, NOW, NOW + HOUR, b"shown")

    assert pages.get(SEEN, NOW) == b"shown"
    assert pages.get(SEEN, NOW + HOUR) is None
    assert pages.get(SEEN, NOW - HOUR) is None
    for other in (
        (b"changed", ANA, "UTC"),
        (b"stored", BEN, "UTC"),
        (b"stored", ANA, "Asia/Tokyo"),
    ):
        assert pages.get(other, NOW) is None
    pages.keep(SEEN, NOW + HOUR, None, b"later")
    assert pages.get(SEEN, NOW + 9 * HOUR) == b"later"


def test_only_the_last_pages_are_kept() -> None:
    pages = CompletedPages()
    for number in range(COMPLETED_MAX + 1):
        pages.keep((b"%d" % number, ANA, "UTC"), NOW, None, b"shown")
    assert pages.get((b"0", ANA, "UTC"), NOW) is None
    assert pages.get((b"1", ANA, "UTC"), NOW) == b"shown"

    pages.keep(SEEN, NOW, None, b"x" * (COMPLETED_BYTES_MAX - 10))
    assert pages.get(SEEN, NOW) is not None
    assert pages.get((b"%d" % COMPLETED_MAX, ANA, "UTC"), NOW) is None
