"""A client with little overhead: HTTP/1.1 over persistent connections, one request at a time."""

import asyncio
import time
from typing import Any, TypeVar, cast

import msgspec

from benchmarks.harness.pace import Pace
from benchmarks.harness.processes import Clock, cpu_seconds

READY_S = 60.0
Address = tuple[str, int]
C = TypeVar("C", bound="Connection")


class RequestFailed(Exception):
    """The server did not answer with success."""


class Connection(asyncio.Protocol):
    """A persistent connection; reads responses with Content-Length, which all of ours have."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._received = b""
        self._expected = 0
        self.is_open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's has the same interface

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._expected:
            head, found, _ = self._received.partition(b"\r\n\r\n")
            if not found:
                return
            _, _, length = head.lower().partition(b"\r\ncontent-length:")
            self._expected = len(head) + 4 + int(length.partition(b"\r\n")[0] or b"0")
        if len(self._received) >= self._expected and self._answer is not None:
            answer, self._received, self._expected = self._received, b"", 0
            self._answer.set_result(answer)

    def send(self, request: bytes) -> None:
        """Send one request."""
        assert self._transport is not None
        self._transport.write(request)

    async def ask(self, request: bytes) -> bytes:
        """Send one request and return the whole response.

        :raises RequestFailed: it was not successful.
        """
        self._answer = asyncio.get_running_loop().create_future()
        self.send(request)
        answer = await self._answer
        if answer[9:10] != b"2":
            raise RequestFailed(answer.decode(errors="replace"))
        return answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Client:
    """A logged-in user with as many connections as needed."""

    def __init__(self, address: Address) -> None:
        self.address, self._headers = address, ""
        self._first: Connection | None = None
        self.organization = ""

    async def connect(self) -> Connection:
        """Open a connection."""
        return await self.connect_as(Connection)

    async def connect_as(self, kind: type[C]) -> C:
        """Open a connection of some *kind*."""
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(kind, *self.address)
        return connection

    def request(self, method: str, path: str, body: Any = None) -> bytes:
        """Return the bytes of a request."""
        content = b"" if body is None else msgspec.json.encode(body)
        head = f"{method} {path} HTTP/1.1\r\nhost: {self.address[0]}\r\n{self._headers}"
        if body is not None:
            head += f"content-type: application/json\r\ncontent-length: {len(content)}\r\n"
        return f"{head}\r\n".encode() + content

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request on a persistent connection and return the body."""
        if self._first is None or not self._first.is_open:
            self._first = await self.connect()
        answer = await self._first.ask(self.request(method, path, body))
        content = answer.partition(b"\r\n\r\n")[2]
        return msgspec.json.decode(content) if content else None

    def headers_of(self, path: str, length: int) -> bytes:
        """Return how a request begins that sends a file of *length* bytes."""
        head = f"POST {path} HTTP/1.1\r\nhost: {self.address[0]}\r\n{self._headers}"
        return f"{head}content-length: {length}\r\n\r\n".encode()

    async def send_file(self, path: str, content: bytes) -> Any:
        """Send a file and return the body of the answer."""
        connection = await self.connect()
        answer = await connection.ask(self.headers_of(path, len(content)) + content)
        connection.close()
        return msgspec.json.decode(answer.partition(b"\r\n\r\n")[2])

    async def log_in(self, name: str = "acme") -> str:
        """Wait for the server, register, log in, and return the id of a project.

        The organization gets the plan that has no limit on tasks.
        """
        await self.wait_until_ready()
        account = {"email": f"ana@{name}.example.com", "password": "tulip-Harbour-91-quiet"}
        organization = {"name": name.title(), "subdomain": name}
        registration = {**account, "name": "Ana", "organization": organization}
        await self.ask("POST", "/api/auth/register", registration)
        token = (await self.ask("POST", "/api/auth/login", account))["accessToken"]
        self._headers = f"authorization: Bearer {token}\r\nuser-agent: bench\r\n"
        self.organization = (await self.ask("GET", "/api/auth/profile"))["organizationId"]
        plan = f"/api/org/{self.organization}/plan"
        await self.ask("PATCH", plan, {"plan": "PREMIUM"})
        project = await self.ask("POST", "/api/project", {"key": "ENG", "name": "Engineering"})
        return str(project["id"])

    async def present(self, token: str) -> None:
        """Wait until the server accepts connections, and present *token* from now on."""
        until = time.monotonic() + READY_S
        while True:
            try:
                (await self.connect()).close()
            except OSError:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(0.1)
            else:
                break
        self._headers = f"authorization: Bearer {token}\r\nuser-agent: bench\r\n"

    async def load(self, request: bytes, connections: int, seconds: float, server: Clock) -> Pace:
        """Repeat the same request on *connections*; the CPU time is the server's."""
        opened = [await self.connect() for _ in range(connections)]
        until = time.perf_counter() + seconds

        async def work(connection: Connection) -> int:
            done = 0
            while time.perf_counter() < until:
                await connection.ask(request)
                done += 1
            return done

        pace = Pace(lambda: cpu_seconds(server))
        with pace.timed():
            pace.done = sum(await asyncio.gather(*map(work, opened)))
        for connection in opened:
            connection.close()
        return pace

    async def wait_until_ready(self) -> None:
        """Wait until the server answers."""
        until = time.monotonic() + READY_S
        while True:
            try:
                await self.ask("GET", "/api/health")
            except (OSError, RequestFailed):
                if time.monotonic() > until:
                    raise
                self._first = None
                await asyncio.sleep(0.1)
            else:
                return
