"""A port stays reserved while nothing listens on it."""

import socket

import pytest

from devstack.port import HOST, HeldPort, PortTaken


def test_a_held_port_is_refused_to_others_but_open_to_its_server() -> None:
    held = HeldPort()

    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((HOST, int(held)))

    for _ in range(2):  # a server and its restart
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((HOST, int(held)))
            server.listen()


def test_a_port_in_use_is_named_in_the_error() -> None:
    with socket.create_server((HOST, 0)) as other:
        number = other.getsockname()[1]

        with pytest.raises(PortTaken, match=str(number)):
            HeldPort(number)


def test_a_released_port_is_free_again() -> None:
    held = HeldPort()
    number = int(held)
    del held

    with socket.create_server((HOST, number)) as server:
        assert server.getsockname()[1] == number
