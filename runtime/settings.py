"""Settings: read from the environment and checked once at start, then never changed.

Each field's ``env`` names its variable; ``docs/reference/settings.md`` is generated from this
class.
"""

import ipaddress
import json
import os
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from msgspec import Meta, Struct

from security.secrets_check import weakness_of

SECRETS_FILE = "secrets.json"
SECRET_NAMES = ("JWT_ACCESS_SECRET", "JWT_REFRESH_SECRET", "MASTER_KEY")


class AppEnv(StrEnum):
    """Where the process runs; production refuses generated secrets and unsafe defaults."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class SettingsInvalid(Exception):
    """The environment has invalid settings; one line per problem."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def _env(name: str, meaning: str) -> Meta:
    return Meta(extra={"env": name}, description=meaning)


class Settings(Struct, frozen=True, kw_only=True):
    """All settings."""

    app_env: Annotated[
        AppEnv, _env("APP_ENV", "development, test or production; NODE_ENV is read too")
    ] = AppEnv.DEVELOPMENT
    host: Annotated[str, _env("HOST", "address the API listens on")] = "127.0.0.1"
    port: Annotated[int, _env("PORT", "port of the API")] = 3000
    data_dir: Annotated[Path, _env("DATA_DIR", "embedded stores and generated secrets")] = Path(
        "data"
    )
    events_url: Annotated[
        str, _env("EVENTS_URL", "event log: sqlite:///path or postgresql://…")
    ] = ""
    mongodb_uri: Annotated[str, _env("MONGODB_URI", "read models; a replica set")] = ""
    mongodb_database: Annotated[str, _env("MONGODB_DATABASE", "database of the read models")] = (
        "trackrecord"
    )
    redis_url: Annotated[
        str, _env("REDIS_URL", "wake-ups and jobs; may be empty, which only adds latency")
    ] = ""
    jwt_access_secret: Annotated[str, _env("JWT_ACCESS_SECRET", "signs access tokens")] = ""
    jwt_refresh_secret: Annotated[str, _env("JWT_REFRESH_SECRET", "computes refresh tokens")] = ""
    jwt_access_expiry: Annotated[timedelta, _env("JWT_ACCESS_EXPIRY", "15m, 900s …")] = timedelta(
        minutes=15
    )
    jwt_refresh_expiry: Annotated[
        timedelta, _env("JWT_REFRESH_EXPIRY", "lifetime of the refresh cookie, at most 7d")
    ] = timedelta(days=7)
    master_key: Annotated[str, _env("MASTER_KEY", "wraps the keys of personal data")] = ""
    cors_origins: Annotated[
        tuple[str, ...], _env("CORS_ORIGINS", "exact browser origins to allow, comma separated")
    ] = ("http://localhost:5173",)
    cookie_secure: Annotated[
        bool, _env("COOKIE_SECURE", "refresh cookie over HTTPS only; default outside development")
    ] = False
    password_min_length: Annotated[int, _env("PASSWORD_MIN_LENGTH", "code points")] = 10
    rate_limits: Annotated[
        str, _env("RATE_LIMITS", "name=count/seconds, comma separated, or off")
    ] = "login=30/60,register=60/60,api=6000/60"
    trusted_proxies: Annotated[
        tuple[str, ...],
        _env("TRUSTED_PROXIES", "trusted proxies: networks whose X-Forwarded-For counts"),
    ] = ()
    webhook_allow_networks: Annotated[
        tuple[str, ...], _env("WEBHOOK_ALLOW_NETWORKS", "private networks that webhooks may reach")
    ] = ()
    api_workers: Annotated[int, _env("API_WORKERS", "API processes; one with SQLite")] = 1
    log_level: Annotated[str, _env("LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR")] = "INFO"

    @property
    def is_production(self) -> bool:
        return self.app_env is AppEnv.PRODUCTION


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of this process.

    Outside production, missing secrets are generated on the first start and kept in
    ``DATA_DIR/secrets.json``, readable by its owner only.

    :raises SettingsInvalid: naming every variable that is wrong.
    """
    env = dict(os.environ if environ is None else environ)
    env.setdefault("APP_ENV", env.get("NODE_ENV") or AppEnv.DEVELOPMENT)
    problems: list[str] = []
    values: dict[str, Any] = {}
    for field, hint in get_type_hints(Settings, include_extras=True).items():
        name = hint.__metadata__[0].extra["env"]
        text = env.get(name, "").strip()
        if not text:
            continue
        try:
            values[field] = _parse(hint.__origin__, text)
        except ValueError as error:
            problems.append(f"{name}: {error}")
    if problems:
        raise SettingsInvalid(problems)
    return _completed(values, env)


def _completed(values: dict[str, Any], env: Mapping[str, str]) -> Settings:
    production = values.get("app_env") is AppEnv.PRODUCTION
    values.setdefault("cookie_secure", values.get("app_env") is not AppEnv.DEVELOPMENT)
    data_dir: Path = values.get("data_dir", Path("data"))
    values.setdefault("events_url", f"sqlite:///{data_dir / 'events.db'}")
    missing = [name for name in SECRET_NAMES if not env.get(name)]
    problems = [
        f"{name}: not set; production does not generate secrets" for name in missing if production
    ]
    if missing and not production:
        kept = _kept_secrets(data_dir)
        values.update({name.lower(): kept[name] for name in missing})
    for name in SECRET_NAMES:
        weakness = weakness_of(values.get(name.lower(), ""))
        if weakness and name not in missing:
            problems.append(f"{name}: {weakness}")
    settings = Settings(**values)
    problems += _contradictions(settings)
    if problems:
        raise SettingsInvalid(problems)
    return settings


def _contradictions(settings: Settings) -> list[str]:
    problems: list[str] = []
    if not settings.events_url.startswith(("sqlite:///", "postgresql://", "postgres://")):
        problems.append("EVENTS_URL: must be sqlite:///path or postgresql://…")
    if settings.events_url.startswith("sqlite") and settings.api_workers > 1:
        problems.append("API_WORKERS: SQLite takes one writing API process; use PostgreSQL")
    if "*" in settings.cors_origins:
        problems.append("CORS_ORIGINS: * cannot be used with credentials; name each origin")
    if settings.is_production and not settings.mongodb_uri:
        problems.append("MONGODB_URI: not set; production has no embedded store")
    for field in ("trusted_proxies", "webhook_allow_networks"):
        for network in getattr(settings, field):
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                problems.append(f"{field.upper()}: {error}")
    return problems


def _kept_secrets(data_dir: Path) -> dict[str, str]:
    path = data_dir / SECRETS_FILE
    if path.exists():
        kept: dict[str, str] = json.loads(path.read_text())
        return kept
    made = {name: secrets.token_urlsafe(48) for name in SECRET_NAMES}
    data_dir.mkdir(parents=True, exist_ok=True)
    # Exclusive: if two first starts race, one creates the file and the other reads it.
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(made, file)
    except FileExistsError:
        return _kept_secrets(data_dir)
    return made


_DURATION = re.compile(r"(\d{1,9})(s|m|h|d)?")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _parse(kind: Any, text: str) -> Any:
    if kind is bool:
        if text.lower() not in ("true", "false", "1", "0"):
            raise ValueError(f"{text!r} is neither true nor false")
        return text.lower() in ("true", "1")
    if kind is timedelta:
        return _duration(text)
    if kind == tuple[str, ...]:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if kind is AppEnv and text not in list(AppEnv):
        raise ValueError(f"{text!r} is none of {', '.join(AppEnv)}")
    return kind(text)


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no duration such as 900s, 15m, 12h or 7d")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2] or "s"])
