"""Attacks with webhook URLs: each is refused before a socket is opened."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.url_guard import IPAddress, Target, UrlGuard, UrlRefused

GUARD = UrlGuard()
LOOPBACK_OPEN = UrlGuard([ip_network("127.0.0.0/8"), ip_network("::1/128")])

HOSTILE_URLS = {
    "plain http": "http://hooks.example.com/",
    "plain http on the TLS port": "http://hooks.example.com:443/",
    "file": "file:///etc/passwd",
    "gopher": "gopher://hooks.example.com:443/_x",
    "no scheme": "//hooks.example.com/",
    "javascript": "javascript://hooks.example.com/",
    "empty": "",
    "no host": "https:///path",
    "one slash": "https:/hooks.example.com/",
    "redis port": "https://hooks.example.com:6379/",
    "http port": "https://hooks.example.com:80/",
    "port zero": "https://hooks.example.com:0/",
    "port with leading zero": "https://hooks.example.com:0443/",
    "empty port": "https://hooks.example.com:/",
    "port above the range": "https://hooks.example.com:65979/",
    "endless port": "https://hooks.example.com:" + "4" * 5000 + "/",
    "user": "https://admin@hooks.example.com/",
    "user and password": "https://hooks.example.com:443@10.0.0.1/",
    "empty user": "https://@hooks.example.com/",
    "user behind a backslash": "https://hooks.example.com\\@10.0.0.1/",
    "fragment": "https://hooks.example.com/#x",
    "fragment before the user": "https://10.0.0.1#@hooks.example.com/",
    "backslash for slash": "https:\\\\hooks.example.com\\",
    "backslash in the path": "https://hooks.example.com/\\10.0.0.1",
    "line feed in the path": "https://hooks.example.com/\nHost: redis",
    "carriage return in the host": "https://hooks\r.example.com/",
    "tab in the scheme": "ht\ttps://hooks.example.com/",
    "NUL in the host": "https://hooks.example.com\x00.evil.example/",
    "leading space": " https://hooks.example.com/",
    "trailing line feed": "https://hooks.example.com/\n",
    "space in the path": "https://hooks.example.com/a b",
    "delete character": "https://hooks.example.com/\x7f",
    "full-width digits": "https://１２７.0.0.1/",  # noqa: RUF001 - on purpose
    "ideographic full stop": "https://127。0。0。1/",
    "circled letters": "https://ⓛocalhost/",
    "kelvin sign": "https://hoo\N{KELVIN SIGN}s.example.com/",
    "international name unencoded": "https://bücher.example.com/",
    "lone surrogate": "https://hooks.example.com/\ud800",
    "percent-encoded host": "https://%31%32%37.0.0.1/",
    "comma in the host": "https://a,b.example.com/",
    "localhost": "https://localhost/",
    "localhost in capitals": "https://LOCALHOST/",
    "localhost with a final dot": "https://localhost./",
    "below localhost": "https://a.localhost/",
    "single label": "https://redis/",
    "docker name with port": "https://mongo:8443/",
    "multicast DNS": "https://printer.local/",
    "cloud metadata name": "https://metadata.google.internal/",
    "router": "https://gateway.home.arpa/",
    "reverse zone": "https://1.0.0.127.in-addr.arpa/",
    "onion": "https://expyuzz4wqqyqhjn.onion/",
    "test": "https://a.test/",
    "invalid": "https://a.invalid/",
    "corporate": "https://intranet.corp/",
    "final dot": "https://hooks.example.com./",
    "empty label": "https://hooks..example.com/",
    "leading dot": "https://.example.com/",
    "hyphen at the start": "https://-hooks.example.com/",
    "long label": f"https://{'a' * 64}.example.com/",
    "long host": f"https://{'a.' * 127}com/",
    "long URL": "https://hooks.example.com/" + "a" * 2048,
    "loopback": "https://127.0.0.1/",
    "public literal": "https://93.184.215.14/",
    "metadata": "https://169.254.169.254/latest/meta-data/",
    "short loopback": "https://127.1/",
    "zero": "https://0/",
    "decimal": "https://2130706433/",
    "octal": "https://0177.0.0.1/",
    "octal whole": "https://017700000001/",
    "hexadecimal": "https://0x7f000001/",
    "hexadecimal octets": "https://0x7f.0x0.0x0.0x1/",
    "hexadecimal capitals": "https://0X7F.1/",
    "bare 0x": "https://127.0.0.0x/",
    "number above 32 bits": "https://4294967297/",
    "leading zeros": "https://127.000.000.001/",
    "name ending in a number": "https://hooks.example.com.1/",
    "five octets": "https://127.0.0.0.1/",
    "v6 loopback": "https://[::1]/",
    "v6 unspecified": "https://[::]/",
    "v6 public literal": "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
    "v4-mapped": "https://[::ffff:127.0.0.1]/",
    "v4-compatible": "https://[::127.0.0.1]/",
    "NAT64": "https://[64:ff9b::7f00:1]/",
    "6to4": "https://[2002:7f00:1::]/",
    "zone": "https://[fe80::1%25eth0]/",
    "brackets round v4": "https://[127.0.0.1]/",
    "unclosed bracket": "https://[::1/",
    "future literal": "https://[v1.fe80::a]/",
}

# fmt: off
HOSTILE_ADDRESSES = [
    "0.0.0.0",  # noqa: S104 - an attack, not a binding
    "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200",
    "100.127.255.255", "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.169.254",
    "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:7f00:1",
    "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::a00:1", "100::1", "2001::1",
    "2001:0:7f00:1::", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::",
    "2002:a00:1::1", "3ffe::1", "3fff::1", "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254",
    "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
]

PUBLIC_ADDRESSES = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "93.184.215.14", "100.63.255.255",
    "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255", "172.15.255.255",
    "172.32.0.0", "192.0.1.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "::ffff:8.8.8.8", "2001:200::1", "2001:4860:4860::8888", "2606:4700::1111", "2a00::1",
]
# fmt: on


@pytest.mark.parametrize("url", HOSTILE_URLS.values(), ids=HOSTILE_URLS.keys())
def test_a_hostile_url_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused) as refusal:
        GUARD.check_url(url)

    assert refusal.value.reason


@pytest.mark.parametrize(
    "host",
    [
        "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.000.000.001", "[127.0.0.1]",
        "[0:0:0:0:0:0:0:1]", "[::0001]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "localhost.",
    ],
)  # fmt: skip
def test_disguised_addresses_are_refused_even_if_loopback_is_allowed(host: str) -> None:
    with pytest.raises(UrlRefused):
        LOOPBACK_OPEN.check_url(f"http://{host}/")


@pytest.mark.parametrize(
    ("url", "host", "port", "path_and_query"),
    [
        ("https://hooks.example.com", "hooks.example.com", 443, "/"),
        ("HTTPS://Hooks.Example.COM/A?b=C", "hooks.example.com", 443, "/A?b=C"),
        ("https://a-1.example.com:8443?q=//x:y@z", "a-1.example.com", 8443, "/?q=//x:y@z"),
        ("https://xn--bcher-kva.example.com/%0a", "xn--bcher-kva.example.com", 443, "/%0a"),
    ],
)
def test_a_public_https_url_is_parsed(url: str, host: str, port: int, path_and_query: str) -> None:
    assert GUARD.check_url(url) == Target("https", host, port, path_and_query)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://127.0.0.1:9000/hook", Target("http", "127.0.0.1", 9000, "/hook")),
        ("http://127.9.9.9/", Target("http", "127.9.9.9", 80, "/")),
        ("https://[::1]:1/", Target("https", "::1", 1, "/")),
        ("http://LocalHost:65535/", Target("http", "localhost", 65535, "/")),
    ],
)
def test_an_allowed_network_allows_http_and_every_port(url: str, target: Target) -> None:
    assert LOOPBACK_OPEN.check_url(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:65536/", "http://10.0.0.1/", "http://hooks.example.com/", "http://redis/",
        "https://a.localhost/", "http://u@127.0.0.1/", "https://hooks.example.com:9000/",
    ],
)  # fmt: skip
def test_an_allowed_network_allows_nothing_else(url: str) -> None:
    with pytest.raises(UrlRefused):
        LOOPBACK_OPEN.check_url(url)


def test_localhost_means_only_the_allowed_loopback_addresses() -> None:
    v4_only = UrlGuard([ip_network("127.0.0.0/8")])

    assert v4_only.fixed_addresses("localhost") == (IPv4Address("127.0.0.1"),)
    assert LOOPBACK_OPEN.fixed_addresses("localhost") == (
        IPv4Address("127.0.0.1"),
        IPv6Address("::1"),
    )
    assert GUARD.fixed_addresses("localhost") == ()


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_a_special_address_is_refused(address: str) -> None:
    with pytest.raises(UrlRefused, match="not public"):
        GUARD.check_address(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_a_public_address_passes(address: str) -> None:
    GUARD.check_address(ip_address(address))


def test_an_allowed_address_passes_even_when_mapped_into_ipv6() -> None:
    LOOPBACK_OPEN.check_address(ip_address("127.0.0.1"))
    LOOPBACK_OPEN.check_address(ip_address("::ffff:127.0.0.1"))

    with pytest.raises(UrlRefused):
        LOOPBACK_OPEN.check_address(ip_address("10.0.0.1"))


@given(st.ip_addresses())
def test_every_address_that_passes_is_global_according_to_python(address: IPAddress) -> None:
    try:
        GUARD.check_address(address)
    except UrlRefused:
        return
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    assert (mapped or address).is_global


@given(st.text(alphabet="htps:/@[]%.#?\\0x127ab-c\n\x00é", max_size=40))
def test_any_text_is_refused_or_is_a_public_target(rest: str) -> None:
    try:
        target = GUARD.check_url("https://" + rest)
    except UrlRefused:
        return
    assert target.scheme == "https"
    assert target.port in {443, 8443}
    assert set(target.host) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
    assert "." in target.host
    assert target.path_and_query.startswith("/")
    assert target.path_and_query.isprintable()
