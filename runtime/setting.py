"""The types of settings: each is parsed and checked here, once, at start, from the environment.

A parser raises ``ValueError`` with the rest of a sentence that begins with the variable's name.
"""

import ipaddress
import os
import re
import shlex
from collections.abc import Callable, Mapping
from datetime import timedelta
from email.utils import parseaddr
from enum import StrEnum
from pathlib import Path
from typing import Any, NewType
from urllib.parse import parse_qs, urlsplit

from dotenv import dotenv_values
from msgspec import Struct

from runtime.rate_limit import RateLimits, parse_rate_limits
from security.oidc.name_server import NameServer, parse_name_server
from security.url_guard import HOST_CHARS_MAX, IPNetwork

Host = NewType("Host", str)
EventsUrl = NewType("EventsUrl", str)
MongoUri = NewType("MongoUri", str)
RedisUrl = NewType("RedisUrl", str)
DatabaseName = NewType("DatabaseName", str)
WebOrigin = NewType("WebOrigin", str)
SmtpUrl = NewType("SmtpUrl", str)
MailAddress = NewType("MailAddress", str)
FilesUrl = NewType("FilesUrl", str)
ScanHook = NewType("ScanHook", str)

DATABASE_NAME_BYTES_MAX = 63
"""MongoDB, "Limits and Thresholds": database names have fewer than 64 bytes."""

REDIS_DEADLINE_S = 2.0
"""How long Redis may take to connect and to answer; whoever waits goes on without it."""


class AppEnv(StrEnum):
    """Where the process runs; production refuses generated secrets and unsafe values."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class LogLevel(StrEnum):
    """The least severe records that are written."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class Setting(Struct, frozen=True):
    """What is known about a setting besides its type and default."""

    env: str
    """The environment variable."""
    meaning: str
    least: int | timedelta | None = None
    most: int | timedelta | None = None

    def parse(self, kind: Any, text: str) -> Any:
        """Return the value of *text*.

        :raises ValueError: *text* is malformed, or its value is out of range.
        """
        value = PARSERS[kind](text)
        too_small = self.least is not None and value < self.least
        if too_small or (self.most is not None and value > self.most):
            raise ValueError(
                f"{text} is out of range; the least is {shown(self.least)},"
                f" the most {shown(self.most)}"
            )
        return value


def shown(value: object) -> str:
    """Return *value* as it would be written in the environment."""
    match value:
        case None:
            return "not bounded"
        case timedelta():
            return _duration_text(value)
        case bool():
            return str(value).lower()
        case tuple():
            return ",".join(map(shown, value))  # pyright: ignore[reportUnknownArgumentType]  any tuple
        case _:
            return str(value)


def _duration_text(value: timedelta) -> str:
    seconds = value // timedelta(seconds=1)
    unit = next((u for u in "dhm" if seconds and seconds % _UNITS[u] == 0), "s")
    return f"{seconds // _UNITS[unit]}{unit}"


_DURATION = re.compile(r"(\d{1,9})(s|m|h|d)?", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_HOST = re.compile(r"[0-9a-z]([0-9a-z._-]*[0-9a-z])?", re.IGNORECASE | re.ASCII)


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration such as 900s, 15m, 12h or 7d")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2] or "s"])


def _number(text: str) -> int:
    if not re.fullmatch(r"-?\d{1,9}", text, re.ASCII):
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise ValueError(f"{text!r} is neither true nor false")
    return text.lower() in ("true", "1")


def _one_of(kind: type[StrEnum], text: str) -> StrEnum:
    if text not in list(kind):
        raise ValueError(f"{text!r} is none of {', '.join(kind)}")
    return kind(text)


def _host(text: str) -> Host:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        if len(text) > HOST_CHARS_MAX or not _HOST.fullmatch(text):
            raise ValueError(f"{text!r} is neither an IP address nor a host name") from None
    return Host(text)


def _directory(text: str) -> Path:
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise ValueError(f"{text} is not a directory")
    return path


def _network(text: str) -> IPNetwork:
    return ipaddress.ip_network(text)


def _origin(text: str) -> WebOrigin:
    parts = urlsplit(text)
    if text == "*":
        raise ValueError("* cannot be used with credentials; name each origin")
    exact = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in text or exact != text:
        raise ValueError(f"{text!r} is not an origin such as https://tasks.example.com")
    return WebOrigin(text)


def _events_url(text: str) -> EventsUrl:
    scheme, database = urlsplit(text).scheme, urlsplit(text).path.strip("/")
    if scheme not in ("sqlite", "postgresql", "postgres") or not database:
        raise ValueError("must be sqlite:///path or postgresql://host/database")
    # Imported here: commands that read no log start sooner.
    from eventstore.append import LogUnfit  # noqa: PLC0415 - as above
    from eventstore.open import check_url  # noqa: PLC0415 - as above

    try:
        check_url(text)
    except LogUnfit as error:
        raise ValueError(str(error)) from None
    return EventsUrl(text)


def _mongo_uri(text: str) -> MongoUri:
    if text.startswith("mongodb+srv://"):
        return MongoUri(text)  # more could only be checked by asking the name server
    # Imported here: commands that read no MongoDB start 0.1 s sooner.
    from pymongo.errors import PyMongoError  # noqa: PLC0415 - starts sooner
    from pymongo.uri_parser import parse_uri  # noqa: PLC0415 - starts sooner

    try:
        parse_uri(text)
    except (PyMongoError, ValueError) as error:
        raise ValueError(f"is not mongodb://host/…: {error}") from None
    return MongoUri(text)


def _smtp_url(text: str) -> SmtpUrl:
    parts = urlsplit(text)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path.strip("/"):
        raise ValueError("must be smtp://user:password@host:587 or smtps://…")
    _ = parts.port  # raises on a port that is none
    return SmtpUrl(text)


def _files_url(text: str) -> FilesUrl:
    parts = urlsplit(text)
    names = set(parse_qs(parts.query, keep_blank_values=True))
    is_bucket = parts.scheme == "s3" and parts.hostname and names <= {"endpoint", "region"}
    is_directory = parts.scheme == "file" and not parts.netloc and parts.path.strip("/")
    if not is_bucket and not is_directory:
        raise ValueError(
            "must be s3://KEY:SECRET@bucket/prefix?endpoint=https://…&region=… or file:///path"
        )
    return FilesUrl(text)


def _scan_hook(text: str) -> ScanHook:
    try:
        shlex.split(text)
    except ValueError as error:
        raise ValueError(f"is no command: {error}") from None
    return ScanHook(text)


def _mail_address(text: str) -> MailAddress:
    _, address = parseaddr(text)
    local, _, domain = address.rpartition("@")
    if not local or not domain or not text.isprintable():
        raise ValueError(f"{text!r} is not a sender such as Trackrecord <no-reply@example.com>")
    return MailAddress(text)


def _redis_url(text: str) -> RedisUrl:
    from redis.asyncio.connection import parse_url  # noqa: PLC0415 - as above

    try:
        parse_url(text)
    except ValueError as error:
        raise ValueError(f"is not redis://host:port/0, rediss:// or unix://: {error}") from None
    return RedisUrl(text)


def _database_name(text: str) -> DatabaseName:
    if len(text.encode()) > DATABASE_NAME_BYTES_MAX or set(text) & set('/\\. "$*<>:|?\0'):
        raise ValueError(f"{text!r} is not a valid name of a MongoDB database")
    return DatabaseName(text)


def _each(parse: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    return lambda text: tuple(parse(part.strip()) for part in text.split(",") if part.strip())


PARSERS: Mapping[Any, Callable[[str], Any]] = {
    str: str,
    int: _number,
    bool: _truth,
    timedelta: _duration,
    Path: _directory,
    AppEnv: lambda text: _one_of(AppEnv, text),
    LogLevel: lambda text: _one_of(LogLevel, text.upper()),
    Host: _host,
    EventsUrl: _events_url,
    MongoUri: _mongo_uri,
    RedisUrl: _redis_url,
    SmtpUrl: _smtp_url,
    MailAddress: _mail_address,
    FilesUrl: _files_url,
    ScanHook: _scan_hook,
    DatabaseName: _database_name,
    RateLimits: parse_rate_limits,
    tuple[str, ...]: _each(str),
    WebOrigin: _origin,
    tuple[WebOrigin, ...]: _each(_origin),
    tuple[IPNetwork, ...]: _each(_network),
    tuple[NameServer, ...]: _each(parse_name_server),
}
"""How each type of setting is read from text."""

ENV_FILE = ".env"


class SettingsInvalid(Exception):
    """The environment has invalid settings; one line per problem."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def environment(directory: Path | None = None) -> dict[str, str]:
    """Return the environment of this process, completed by ``.env`` in *directory* (default: cwd).

    Variables in the environment take precedence.

    :raises SettingsInvalid: a line of the file has no value.
    """
    path = (directory or Path.cwd()) / ENV_FILE
    kept = dotenv_values(path, interpolate=False) if path.is_file() else {}
    empty = [f"{name}: has no value in {path}" for name, value in kept.items() if value is None]
    if empty:
        raise SettingsInvalid(empty)
    return {**{name: value for name, value in kept.items() if value is not None}, **os.environ}
