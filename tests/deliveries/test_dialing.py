"""Names that resolve to where they must not, and certificates that do not fit."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable
from ipaddress import ip_address

import pytest

from deliveries.client import WebhookClient
from deliveries.dialing import FailureKind, SystemResolver, strict_tls
from security.url_guard import IPAddress, UrlGuard
from tests.deliveries.authority import Authority
from tests.deliveries.receiver import Receiver, Reply
from tests.deliveries.sending import (
    DEADLINE_S,
    JSON,
    LOOPBACK,
    NamesOnAnyPort,
    ScriptedDns,
    failure_of,
)


@pytest.mark.parametrize(
    "answers",
    [
        ["10.0.0.1"],
        ["::1"],
        ["::ffff:169.254.169.254"],
        ["93.184.215.14", "10.0.0.1"],
        ["93.184.215.14", "93.184.215.15", "93.184.215.16", "93.184.215.17", "192.168.1.1"],
    ],
)
async def test_a_name_with_any_private_address_is_refused(answers: list[str]) -> None:
    dns = ScriptedDns(answers)

    async with WebhookClient(UrlGuard(), resolve=dns) as client:
        failure = await failure_of(client, "https://hooks.example.com/")

    assert failure.kind is FailureKind.REFUSED_URL
    assert dns.asked == ["hooks.example.com"]


async def test_a_name_is_resolved_once_for_each_connection_so_rebinding_has_no_second_chance(
    receiver: Receiver,
) -> None:
    dns = ScriptedDns(["127.0.0.1"], ["10.0.0.1"])
    receiver.answer_with(Reply(), Reply(headers={"Connection": "close"}))
    url = f"http://rebind.example.com:{receiver.port}/hook"

    async with WebhookClient(NamesOnAnyPort([LOOPBACK]), resolve=dns) as client:
        first = await client.post("endpoint", url, JSON, b"{}")
        second = await client.post("endpoint", url, JSON, b"{}")
        asked_while_connected = len(dns.asked)
        failure = await failure_of(client, url)

    assert (first.ip, second.ip, asked_while_connected) == ("127.0.0.1", "127.0.0.1", 1)
    assert receiver.requests[0].headers["host"] == f"rebind.example.com:{receiver.port}"
    assert failure.kind is FailureKind.REFUSED_URL
    assert len(dns.asked) == 2
    assert len(receiver.requests) == 2


async def test_a_dead_address_is_passed_over_for_the_next_one(receiver: Receiver) -> None:
    dns = ScriptedDns(["127.9.9.9", "127.0.0.1"])
    url = f"http://two.example.com:{receiver.port}/hook"

    async with WebhookClient(NamesOnAnyPort([LOOPBACK]), resolve=dns) as client:
        answer = await client.post("endpoint", url, JSON, b"{}")

    assert answer.ip == "127.0.0.1"


async def test_a_name_without_address_is_a_dns_failure() -> None:
    async with WebhookClient(UrlGuard(), resolve=ScriptedDns([])) as client:
        failure = await failure_of(client, "https://hooks.example.com/")

    assert failure.kind is FailureKind.DNS


async def test_the_system_is_asked_for_the_absolute_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **_: object) -> list[object]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    found = await SystemResolver()("hooks.example.com", 443)

    assert found == [ip_address("93.184.215.14")]
    assert asked == ["hooks.example.com."]


async def test_an_unknown_name_is_a_dns_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    async with WebhookClient(UrlGuard()) as client:
        failure = await failure_of(client, "https://hooks.example.com/")

    assert failure.kind is FailureKind.DNS


async def test_look_ups_that_outlive_their_deadline_keep_their_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release = threading.Event()

    def getaddrinfo(*_: object, **__: object) -> list[object]:
        release.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    resolve = SystemResolver(threads_max=2)

    async with WebhookClient(UrlGuard(), deadline_s=DEADLINE_S, resolve=resolve) as client:
        url = "https://hooks.example.com/"
        overdue = await asyncio.gather(*(failure_of(client, url) for _ in range(4)))
        busy = sum(thread.name == "webhook-dns" for thread in threading.enumerate())
        release.set()
        following = await failure_of(client, url)

    assert {failure.kind for failure in overdue} == {FailureKind.TIMEOUT}
    assert busy == 2
    assert following.kind is FailureKind.DNS


async def test_the_deadline_covers_a_name_server_that_never_answers() -> None:
    async def silence(host: str, port: int) -> list[IPAddress]:
        await asyncio.get_running_loop().create_future()
        return []

    async with WebhookClient(UrlGuard(), deadline_s=DEADLINE_S, resolve=silence) as client:
        failure = await failure_of(client, "https://hooks.example.com/")

    assert failure.kind is FailureKind.TIMEOUT


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


TlsClient = Callable[[ssl.SSLContext | None], WebhookClient]


@pytest.fixture
def tls_client() -> TlsClient:
    async def loopback(host: str, port: int) -> list[IPAddress]:
        return [ip_address("127.0.0.1")]

    return lambda tls: WebhookClient(NamesOnAnyPort([LOOPBACK]), resolve=loopback, tls=tls)


async def test_a_certificate_for_the_host_name_is_accepted_on_the_pinned_address(
    authority: Authority, tls_client: TlsClient
) -> None:
    tls = authority.server("hooks.example.com")
    seen_names: list[str | None] = []
    tls.sni_callback = lambda _, name, __: seen_names.append(name)
    async with (
        Receiver(tls=tls, host_name="hooks.example.com") as receiver,
        tls_client(authority.client()) as client,
    ):
        answers = [await client.post("endpoint", receiver.url, JSON, b"{}") for _ in range(3)]

    assert [(answer.status, answer.ip) for answer in answers] == [(200, "127.0.0.1")] * 3
    assert seen_names == ["hooks.example.com"]


async def test_a_certificate_for_another_name_is_refused(
    authority: Authority, tls_client: TlsClient
) -> None:
    tls = authority.server("other.example.com")
    async with (
        Receiver(tls=tls, host_name="hooks.example.com") as receiver,
        tls_client(authority.client()) as client,
    ):
        failure = await failure_of(client, receiver.url)

    assert failure.kind is FailureKind.TLS
    assert "hooks.example.com" in failure.reason
    assert receiver.requests == []


async def test_a_certificate_of_an_unknown_authority_is_refused(
    authority: Authority, tls_client: TlsClient
) -> None:
    tls = authority.server("hooks.example.com")
    async with (
        Receiver(tls=tls, host_name="hooks.example.com") as receiver,
        tls_client(None) as client,
    ):
        failure = await failure_of(client, receiver.url)

    assert failure.kind is FailureKind.TLS
    assert receiver.requests == []


async def test_a_receiver_that_speaks_plain_text_is_a_tls_failure(
    authority: Authority, tls_client: TlsClient
) -> None:
    def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com ready\r\n")
        writer.close()

    async with (
        await asyncio.start_server(greet, "127.0.0.1", 0) as server,
        tls_client(authority.client()) as client,
    ):
        port = server.sockets[0].getsockname()[1]
        failure = await failure_of(client, f"https://hooks.example.com:{port}/hook")

    assert failure.kind is FailureKind.TLS


@pytest.mark.servers
async def test_the_deadline_covers_a_handshake_that_never_ends_and_closes_its_socket() -> None:
    async with (
        Receiver() as receiver,
        WebhookClient(UrlGuard([LOOPBACK]), deadline_s=DEADLINE_S) as client,
    ):
        failure = await failure_of(client, receiver.url.replace("http:", "https:"))

    assert failure.kind is FailureKind.TIMEOUT


async def test_tls_older_than_1_2_is_not_spoken() -> None:
    assert strict_tls().minimum_version is ssl.TLSVersion.TLSv1_2
    assert strict_tls().verify_mode is ssl.CERT_REQUIRED
    assert strict_tls().check_hostname
