"""Who a request comes from, and what its headers say if they are repeated."""

from ipaddress import ip_network

import pytest

from api.http.client_info import client_info_of
from tests.api.stage import Person, refused

PROXIES = (
    ip_network("10.0.0.0/8"),
    ip_network("2001:db8:ffff::/48"),
)


class TestClientAddress:
    @pytest.mark.parametrize(
        ("peer", "forwarded", "address"),
        [
            ("192.0.2.1", [], "192.0.2.1"),
            ("192.0.2.1", ["1.2.3.4"], "192.0.2.1"),
            ("10.0.0.1", [], "10.0.0.1"),
            ("10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
            ("10.0.0.1", ["6.6.6.6, 1.2.3.4, 10.0.0.2"], "1.2.3.4"),
            ("10.0.0.1", ["6.6.6.6", "1.2.3.4,10.0.0.2"], "1.2.3.4"),
            ("10.0.0.1", ["1.2.3.4", "10.0.0.2"], "1.2.3.4"),
            ("10.0.0.1", ["1.2.3.4:4711"], "1.2.3.4"),
            ("10.0.0.1", ["[2001:DB8:0::1]"], "2001:db8::1"),
            ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
            ("10.0.0.1", ["2001:db8:0:0::1"], "2001:db8::1"),
            ("10.0.0.1", ["::ffff:1.2.3.4"], "1.2.3.4"),
            ("10.0.0.1", ["1.2.3.4, ::ffff:10.0.0.2"], "1.2.3.4"),
            ("::ffff:10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
            ("::ffff:192.0.2.1", [], "192.0.2.1"),
            ("2001:db8:ffff::1", ["1.2.3.4, [2001:db8:FFFF::2]:80"], "1.2.3.4"),
            ("10.0.0.1", ["nonsense, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", ["1.2.3.4, unknown"], "10.0.0.1"),
            ("10.0.0.1", ["1.2.3.4, "], "10.0.0.1"),
        ],
    )
    def test_the_client_address_is_the_peer_unless_a_trusted_proxy_names_another(
        self, peer: str, forwarded: list[str], address: str
    ) -> None:
        headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]

        assert client_info_of({"headers": headers, "client": (peer, 1)}, PROXIES).ip == address


class TestRepeatedHeaders:
    @pytest.mark.parametrize(
        "name",
        ["authorization", "content-type", "idempotency-key", "origin", "x-request-id", "host"],
    )
    async def test_a_header_that_holds_one_value_is_refused_if_repeated(
        self, ana: Person, name: str
    ) -> None:
        headers = [(name, "a"), (name, "b")]

        response = await ana.client.get("/api/project", headers=headers)

        assert name in refused(response, 400, "malformed_request")["detail"]

    def test_the_lines_of_any_other_header_are_one_list(self) -> None:
        lines = [(b"if-match", b'"1"'), (b"cookie", b"a=1"), (b"if-match", b'"2"')]
        lines += [(b"cookie", b"b=2")]

        headers = client_info_of({"headers": lines}, ()).headers

        assert headers == {b"if-match": b'"1", "2"', b"cookie": b"a=1; b=2"}

    def test_a_user_agent_keeps_its_letters(self) -> None:
        for agent, text in (("Brwsr/1 ✓ é".encode(), "Brwsr/1 ✓ é"), (b"caf\xe9", "café")):
            assert client_info_of({"headers": [(b"user-agent", agent)]}, ()).user_agent == text
