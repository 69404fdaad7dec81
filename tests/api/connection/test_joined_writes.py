"""The head of a response and the beginning of its content go out together."""

import asyncio
from collections.abc import Iterable

from api.connection.joined_writes import JoinedWrites


class Noted(asyncio.Transport):
    """A transport that notes what is sent at once."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.sent.append(b"".join(list_of_data))

    def write_eof(self) -> None:
        self.sent.append(b"<end>")

    def get_write_buffer_size(self) -> int:
        return 100

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = True


def joined() -> tuple[JoinedWrites, Noted]:
    transport = Noted()
    return JoinedWrites(transport, asyncio.get_running_loop()), transport


async def test_two_writes_are_sent_at_once_and_in_order() -> None:
    writes, transport = joined()

    for data in (b"head ", b"content", b"head ", b"", b"head ", memoryview(b"content")):
        writes.write(data)

    assert transport.sent == [b"head content", b"head ", b"head content"]
    await asyncio.sleep(0)
    assert len(transport.sent) == 3


async def test_what_nothing_follows_is_sent_in_the_next_turn() -> None:
    writes, transport = joined()

    writes.writelines([b"head ", b"piece", b"next piece"])
    assert writes.get_write_buffer_size() == 100 + len(b"next piece")
    await asyncio.sleep(0)

    assert transport.sent == [b"head piece", b"next piece"]
    assert writes.get_write_buffer_size() == 100


async def test_what_is_held_is_sent_before_the_end() -> None:
    writes, transport = joined()

    writes.write(b"refusal")
    writes.write_eof()
    writes.write(b"late")
    writes.close()
    await asyncio.sleep(0)

    assert transport.sent == [b"refusal", b"<end>", b"late"]
    assert writes.is_closing()


async def test_nothing_is_sent_once_the_connection_is_gone() -> None:
    writes, transport = joined()

    writes.write(b"lost")
    writes.abort()
    writes.write(b"also lost")
    await asyncio.sleep(0)

    assert transport.sent == []
