"""The API's port is bound before it is announced, and a taken port gives a clear error."""

import os
import socket
from pathlib import Path

import pytest

from runtime.listening import LISTEN_FD, AddressTaken, bind, listening_socket, url_of
from runtime.settings import Settings, load_settings


def settings_with(tmp_path: Path, host: str, port: int) -> Settings:
    return load_settings({"DATA_DIR": str(tmp_path), "HOST": host, "PORT": str(port)})


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_bound_socket_accepts_connections(host: str) -> None:
    with bind(host, 0) as listening:
        address = listening.getsockname()

        with socket.create_connection(address[:2], timeout=5) as client:
            assert client.getpeername()[1] == address[1]


def test_a_taken_port_is_one_sentence() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressTaken) as refused:
            bind("127.0.0.1", port)

    assert "\n" not in str(refused.value)
    assert str(port) in str(refused.value)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:3000"),
        ("0.0.0.0", "http://127.0.0.1:3000"),  # noqa: S104 - only shown
        ("::", "http://[::1]:3000"),
        ("::1", "http://[::1]:3000"),
        ("api.internal", "http://api.internal:3000"),
    ],
)
def test_an_address_is_shown_as_a_client_writes_it(host: str, url: str) -> None:
    assert url_of(host, 3000) == url


def test_a_process_takes_the_socket_that_its_parent_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bind("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
        monkeypatch.setenv(LISTEN_FD, str(os.dup(bound.fileno())))

        with listening_socket(settings_with(tmp_path, "127.0.0.1", 1)) as handed_down:
            assert handed_down.getsockname()[1] == port


def test_without_a_parent_the_configured_address_is_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(LISTEN_FD, raising=False)
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(AddressTaken):
            listening_socket(settings_with(tmp_path, "127.0.0.1", port))
