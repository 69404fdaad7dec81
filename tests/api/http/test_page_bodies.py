"""The bodies of pages that stay in memory are made once."""

from api.http.paging import BODIES_BYTES_MAX, BODIES_MAX, PageBodies

PLACE = ("list", "next")


def items(number: int = 0) -> bytes:
    """Return the JSON of items as an object of its own."""
    return b'{"id":"%d"}' % number


def test_the_body_of_a_page_is_made_once_and_again_when_the_page_is_another() -> None:
    bodies, page = PageBodies(), items()

    body = bodies.of(page, PLACE)

    assert body == b'{"items":[{"id":"0"}],"nextCursor":"next"}\n'
    assert bodies.of(page, PLACE) is body
    changed = items(1)
    assert bodies.of(changed, PLACE) == b'{"items":[{"id":"1"}],"nextCursor":"next"}\n'
    assert bodies.of(page, ("list", None)) == b'{"items":[{"id":"0"}],"nextCursor":null}\n'


def test_only_the_bodies_of_the_last_pages_are_kept() -> None:
    bodies, page = PageBodies(), items()
    made = [bodies.of(page, ("list", str(number))) for number in range(BODIES_MAX + 1)]

    assert bodies.of(page, ("list", str(BODIES_MAX))) is made[-1]
    assert bodies.of(page, ("list", "1")) is made[1]
    assert bodies.of(page, ("list", "0")) is not made[0]

    large = b"x" * (BODIES_BYTES_MAX // 2 - 20)
    kept = bodies.of(large, PLACE)
    assert bodies.of(large, PLACE) is kept
    assert bodies.of(page, ("list", str(BODIES_MAX))) is not made[-1]
