"""The page of settings: every environment variable, with the value that holds without it."""

from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from hashlib import sha256
from typing import Any, get_args, get_type_hints

from runtime.settings import SECRET_NAMES, Settings, load_settings
from tools.markdown import code, page, table

_INTRO = """\
Read once at start. A value that makes no sense, a weak secret or a contradiction stops the process
with exit code 2 and one line a problem. With `APP_ENV=production` (or `NODE_ENV=production`) no
secret is made up and no store is embedded: the three secrets and `MONGODB_URI` must be set.
Durations are a number with `s`, `m`, `h` or `d`; lists are separated by commas."""

_MADE_UP = "made on first start; required in production"
_KINDS = {timedelta: "duration", int: "number", bool: "true or false"}


def settings_page() -> str:
    """Return the page: a row a variable."""
    return page("Settings", _INTRO, table(("variable", "kind", "default", "meaning"), _rows()))


def _rows() -> Iterator[tuple[str, str, str, str]]:
    made_up = {name: sha256(name.encode()).hexdigest() for name in SECRET_NAMES}
    defaults = load_settings({**made_up, "APP_ENV": "development"})
    for field, hint in get_type_hints(Settings, include_extras=True).items():
        about = hint.__metadata__[0]
        name: str = about.extra["env"]
        default = _MADE_UP if name in SECRET_NAMES else _shown(getattr(defaults, field))
        yield code(name), _kind(hint.__origin__), default, about.description or ""


def _kind(kind: Any) -> str:
    if get_args(kind):
        return "list"
    return _KINDS.get(kind, "text")


def _shown(value: Any) -> str:
    match value:
        case timedelta():
            return code(_duration(value))
        case bool():
            return code(str(value).lower())
        case Enum():
            return code(value.value)
        case tuple():
            return code(",".join(map(str, value)))  # pyright: ignore[reportUnknownArgumentType]  # a default of any type
        case _:
            return code(value)


def _duration(value: timedelta) -> str:
    """Return *value* as it would be set: in the largest unit that it is whole in."""
    units = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1)))
    for letter, unit in units:
        if value % unit == timedelta(0):
            return f"{value // unit}{letter}"
    return f"{value // timedelta(seconds=1)}s"
