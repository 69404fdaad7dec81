"""Generates the settings page: every environment variable with its default."""

from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from typing import Any, get_args

from runtime.rate_limit import RateLimits
from runtime.secret_file import SECRET_NAMES
from runtime.setting import Setting, shown
from runtime.settings import described, load_settings
from tools.markdown import code, page, table

_INTRO = """\
Read once at start, from the environment and from a file `.env` in the current directory; the
environment wins. A wrong value, a weak secret or a contradiction stops the process with exit code
2 and one line per problem. A variable that looks like a misspelled setting is warned about.

With `APP_ENV=production` (or `NODE_ENV=production`) no secret is generated and no store is
embedded: the three secrets and `MONGODB_URI` must be set. Production also refuses
`COOKIE_SECURE=false` and a network of every address in `TRUSTED_PROXIES` or
`WEBHOOK_ALLOW_NETWORKS`, unless `ALLOW_UNSAFE` names that setting, too.

Durations are a number with `s`, `m`, `h` or `d`; lists are separated by commas."""

_GENERATED = "generated on first start; required in production"
_KINDS = {timedelta: "duration", int: "number", bool: "true or false"}


def settings_page() -> str:
    """Return the page: one row per variable."""
    columns = ("variable", "kind", "allowed", "default", "meaning")
    return page("Settings", _INTRO, table(columns, _rows()))


def _rows() -> Iterator[tuple[str, str, str, str, str]]:
    generated = {name: sha256(name.encode()).hexdigest() for name in SECRET_NAMES}
    defaults = load_settings({**generated, "APP_ENV": "development"})
    for field, kind, setting in described():
        is_secret = setting.env in SECRET_NAMES
        default = _GENERATED if is_secret else code(shown(getattr(defaults, field)))
        yield code(setting.env), _kind(kind), _bounds(setting), default, setting.meaning


def _kind(kind: Any) -> str:
    return "list" if get_args(kind) or kind is RateLimits else _KINDS.get(kind, "text")


def _bounds(setting: Setting) -> str:
    if setting.least is None or setting.most is None:
        return ""
    return f"{shown(setting.least)} to {shown(setting.most)}"
