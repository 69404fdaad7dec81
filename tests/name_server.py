"""A DNS server on real sockets, whose records a test writes.

with name_server() as names:
names.texts["_trackrecord.corp.example"] = ["trackrecord-domain=…"]
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from dnslib import QTYPE, RCODE, RR, TXT  # type: ignore[import-untyped]  # it has no types
from dnslib.server import DNSLogger, DNSServer  # type: ignore[import-untyped]  # the same

from devstack.port import HOST


class Names:
    """What the server knows: the texts of each name; it knows no other type of record."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self.address = ""
        self.fails = False

    def resolve(self, request: Any, _handler: Any) -> Any:
        """Return the answer to a question."""
        reply = request.reply()
        name = str(request.q.qname).removesuffix(".")
        self.asked.append(f"{QTYPE[request.q.qtype]} {name}")
        if self.fails:
            reply.header.rcode = RCODE.SERVFAIL
        elif name not in self.texts:
            reply.header.rcode = RCODE.NXDOMAIN
        for text in self.texts.get(name, []):
            pieces = [text[at : at + 255].encode() for at in range(0, len(text), 255)]
            reply.add_answer(RR(request.q.qname, QTYPE.TXT, ttl=0, rdata=TXT(pieces)))
        return reply


@contextmanager
def name_server() -> Generator[Names]:
    """Run a server until the block ends."""
    names = Names()
    server = DNSServer(names, address=HOST, port=0, logger=DNSLogger(logf=lambda _: None))
    host, port = server.server.server_address[:2]
    names.address = f"{host}:{port}"
    server.start_thread()
    try:
        yield names
    finally:
        server.stop()
        server.server.server_close()
