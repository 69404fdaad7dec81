"""Settings: read from the environment and ``.env``, checked once at start, then never changed.

``docs/reference/settings.md`` is generated from the class.
"""

import difflib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from eventstore.engine.calls import LOG_DEADLINE_S
from eventstore.operations.store import CALL_DEADLINE_S
from projections.engine.store import READ_MODELS_DEADLINE_S
from runtime.areas.sso import SsoSettings
from runtime.rate_limit import RateLimits, parse_rate_limits
from runtime.secret_file import ROTATING, SECRET_NAMES, SecretsLost, kept_secrets
from runtime.setting import (
    REDIS_DEADLINE_S,
    AppEnv,
    DatabaseName,
    EventsUrl,
    FilesUrl,
    Host,
    LogLevel,
    MailAddress,
    MongoUri,
    RedisUrl,
    Setting,
    SettingsInvalid,
    SmtpUrl,
    WebOrigin,
    environment,
)
from security.passwords import ITERATIONS, MEMORY_KIB
from security.secrets_check import weakness_of
from security.url_guard import IPNetwork

MAIL_FROM_DEFAULT = MailAddress("Trackrecord <no-reply@localhost>")
"""The sender of mails that are only kept in the mailbox."""

ACCESS_EXPIRY_MAX = timedelta(minutes=15)
"""The longest life of an access token in production (RFC 9068 tokens of at most 900 s)."""

_SECOND, _MINUTE, _DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
_LONG = timedelta(seconds=30)  # by then a client has given up
_ALIKE = 0.85  # how similar a misspelled name is to that of a setting (0 to 1)
_OUR_PREFIXES = ("TRACKRECORD_", "JWT_", "WEBHOOK_")


class Settings(SsoSettings, frozen=True, kw_only=True):
    """All settings."""

    app_env: Annotated[
        AppEnv, Setting("APP_ENV", "development, test or production; NODE_ENV is read too")
    ] = AppEnv.DEVELOPMENT
    host: Annotated[Host, Setting("HOST", "address the API listens on")] = Host("127.0.0.1")
    port: Annotated[int, Setting("PORT", "port of the API", 1, 65_535)] = 3000
    data_dir: Annotated[Path, Setting("DATA_DIR", "embedded stores and generated secrets")] = Path(
        "data"
    )
    events_url: Annotated[
        EventsUrl,
        Setting(
            "EVENTS_URL",
            "event log: sqlite:///path (webhooks' state: operations.db beside it) or postgresql://…",
        ),
    ] = EventsUrl("")
    signed_heads_url: Annotated[
        FilesUrl,
        Setting(
            "SIGNED_HEADS_URL",
            "keeps signed tree heads outside the event database: s3://… as FILES_URL, or"
            " file:///path of a directory; empty: DATA_DIR",
        ),
    ] = FilesUrl("")
    mongodb_uri: Annotated[
        MongoUri,
        Setting("MONGODB_URI", "read models; a replica set; empty: a SQLite file in DATA_DIR"),
    ] = MongoUri("")
    mongodb_database: Annotated[
        DatabaseName, Setting("MONGODB_DATABASE", "database of the read models")
    ] = DatabaseName("trackrecord")
    redis_url: Annotated[
        RedisUrl, Setting("REDIS_URL", "wake-ups and jobs; may be empty, which only adds latency")
    ] = RedisUrl("")
    events_deadline: Annotated[
        timedelta, Setting("EVENTS_DEADLINE", "how long callers wait for the log", _SECOND, _LONG)
    ] = timedelta(seconds=LOG_DEADLINE_S)
    operations_deadline: Annotated[
        timedelta,
        Setting("OPERATIONS_DEADLINE", "the same for the state of webhooks", _SECOND, _LONG),
    ] = timedelta(seconds=CALL_DEADLINE_S)
    read_models_deadline: Annotated[
        timedelta, Setting("READ_MODELS_DEADLINE", "the same for read models", _SECOND, _LONG)
    ] = timedelta(seconds=READ_MODELS_DEADLINE_S)
    redis_deadline: Annotated[
        timedelta, Setting("REDIS_DEADLINE", "the same for Redis", _SECOND, _LONG)
    ] = timedelta(seconds=REDIS_DEADLINE_S)
    stalled_after: Annotated[
        timedelta,
        Setting("STALLED_AFTER", "when a follower counts as stalled", _SECOND, 10 * _MINUTE),
    ] = timedelta(seconds=30)
    jwt_access_secret: Annotated[str, Setting("JWT_ACCESS_SECRET", "signs access tokens")] = ""
    jwt_next_secret: Annotated[str, Setting("JWT_NEXT_SECRET", "will sign them, is accepted")] = ""
    jwt_previous_secret: Annotated[str, Setting("JWT_PREVIOUS_SECRET", "signed them before")] = ""
    jwt_refresh_secret: Annotated[str, Setting("JWT_REFRESH_SECRET", "computes refresh tokens")] = (
        ""
    )
    jwt_access_expiry: Annotated[
        timedelta,
        Setting("JWT_ACCESS_EXPIRY", "life of access tokens; production: <= 15m", _SECOND, _DAY),
    ] = timedelta(minutes=15)
    jwt_refresh_expiry: Annotated[
        timedelta,
        Setting("JWT_REFRESH_EXPIRY", "how long a session lives unused", _MINUTE, 7 * _DAY),
    ] = timedelta(days=7)
    master_key: Annotated[str, Setting("MASTER_KEY", "wraps the keys of personal data")] = ""
    master_previous_key: Annotated[str, Setting("MASTER_PREVIOUS_KEY", "wrapped them before")] = ""
    log_secret: Annotated[str, Setting("LOG_SECRET", "finds addresses, signs checkpoints")] = ""
    password_pepper: Annotated[
        str, Setting("PASSWORD_PEPPER", "goes into password hashes; empty: from LOG_SECRET")
    ] = ""
    password_previous_pepper: Annotated[str, Setting("PASSWORD_PREVIOUS_PEPPER", "did before")] = ""
    cors_origins: Annotated[
        tuple[WebOrigin, ...], Setting("CORS_ORIGINS", "exact browser origins, comma separated")
    ] = (WebOrigin("http://localhost:5173"),)
    app_url: Annotated[
        WebOrigin, Setting("APP_URL", "where people use the product: links in mails lead there")
    ] = WebOrigin("http://localhost:5173")
    smtp_url: Annotated[
        SmtpUrl,
        Setting(
            "SMTP_URL",
            "sends mails: smtp://user:password@host:587 (STARTTLS required beyond this machine) or"
            " smtps://…; empty: none are sent, and whoever invites gets the link",
        ),
    ] = SmtpUrl("")
    mail_from: Annotated[
        MailAddress, Setting("MAIL_FROM", "the sender of mails; needed with SMTP_URL")
    ] = MAIL_FROM_DEFAULT
    cookie_secure: Annotated[
        bool,
        Setting("COOKIE_SECURE", "refresh cookie over HTTPS only; true outside development"),
    ] = False
    password_min_length: Annotated[int, Setting("PASSWORD_MIN_LENGTH", "code points", 8, 256)] = 10
    argon2_memory: Annotated[int, Setting("ARGON2_MEMORY", "KiB", MEMORY_KIB, 2**20)] = MEMORY_KIB
    argon2_iterations: Annotated[int, Setting("ARGON2_ITERATIONS", "passes", 2, 20)] = ITERATIONS
    rate_limits: Annotated[
        RateLimits, Setting("RATE_LIMITS", "name=count/seconds, comma separated, or off")
    ] = parse_rate_limits(
        "login=30/60,account=5/60,failures=100/86400,register=60/60,refresh=120/60,sso=240/60,"
        "api=6000/60,key=100/60,guess=60/60,organization=60000/60,export=6/60"
    )
    trusted_proxies: Annotated[
        tuple[IPNetwork, ...],
        Setting("TRUSTED_PROXIES", "trusted proxies: networks whose X-Forwarded-For counts"),
    ] = ()
    metrics_networks: Annotated[
        tuple[IPNetwork, ...],
        Setting("METRICS_NETWORKS", "networks whose programs may read /metrics"),
    ] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    metrics_port: Annotated[
        int, Setting("METRICS_PORT", "metrics of project, work and follow; 0: none", 0, 65_535)
    ] = 0
    webhook_allow_networks: Annotated[
        tuple[IPNetwork, ...],
        Setting("WEBHOOK_ALLOW_NETWORKS", "private networks that webhooks may reach"),
    ] = ()
    api_workers: Annotated[
        int, Setting("API_WORKERS", "API processes; one with SQLite", 1, 256)
    ] = 1
    log_level: Annotated[LogLevel, Setting("LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR")] = (
        LogLevel.INFO
    )
    allow_unsafe: Annotated[
        tuple[str, ...],
        Setting("ALLOW_UNSAFE", "settings whose unsafe value is intended, in production"),
    ] = ()

    @property
    def is_production(self) -> bool:
        return self.app_env is AppEnv.PRODUCTION


def described() -> Iterator[tuple[str, Any, Setting]]:
    """Yield field, type and description of every setting, in the order of the class."""
    for field, hint in get_type_hints(Settings, include_extras=True).items():
        yield field, hint.__origin__, hint.__metadata__[0]


def unknown_names(environ: Mapping[str, str]) -> list[str]:
    """Return a warning for each variable that was probably meant for us but is not a setting."""
    known = {setting.env for _, _, setting in described()} | {"NODE_ENV"}
    warnings: list[str] = []
    for name in sorted(environ.keys() - known):
        alike = difflib.get_close_matches(name, known, 1, _ALIKE)
        if alike:
            warnings.append(f"{name} is not a setting and is ignored; {alike[0]} is one")
        elif name.startswith(_OUR_PREFIXES):
            warnings.append(f"{name} is not a setting and is ignored")
    return warnings


def load_settings(
    environ: Mapping[str, str] | None = None, *, generate_secrets: bool = True
) -> Settings:
    """Return the settings of this process, from *environ* or the environment and ``.env``.

    Outside production, missing secrets are generated on the first start and kept in
    ``DATA_DIR/secrets.json``, readable by its owner only.

    :raises SettingsInvalid: naming every variable that is wrong.
    """
    env = environment() if environ is None else dict(environ)
    env.setdefault("APP_ENV", env.get("NODE_ENV") or AppEnv.DEVELOPMENT)
    problems: list[str] = []
    values: dict[str, Any] = {}
    for field, kind, setting in described():
        text = env.get(setting.env, "").strip()
        if not text:
            continue
        try:
            values[field] = setting.parse(kind, text)
        except ValueError as error:
            problems.append(f"{setting.env}: {error}")
    if problems:
        raise SettingsInvalid(problems)
    return _completed(values, generate_secrets=generate_secrets)


def _completed(values: dict[str, Any], *, generate_secrets: bool) -> Settings:
    app_env = values.get("app_env")
    values.setdefault("cookie_secure", app_env is not AppEnv.DEVELOPMENT)
    data_dir: Path = values.get("data_dir", Path("data"))
    values.setdefault("events_url", EventsUrl(f"sqlite:///{data_dir / 'events.db'}"))
    given = [name for name in SECRET_NAMES if name.lower() in values]
    set_here = [name for name in (*given, *ROTATING) if name.lower() in values]
    weak = [f"{name}: {why}" for name in set_here if (why := weakness_of(values[name.lower()]))]
    settings = Settings(**values)
    problems = weak + _contradictions(settings)
    if settings.is_production:
        problems += _refused_in_production(settings)
    if not problems and len(given) < len(SECRET_NAMES):
        settings, problems = _with_kept_secrets(values, given, generate=generate_secrets)
    if problems:
        raise SettingsInvalid(problems)
    return settings


def _with_kept_secrets(
    values: dict[str, Any], given: list[str], *, generate: bool
) -> tuple[Settings, list[str]]:
    missing = [name for name in SECRET_NAMES if name not in given]
    data_dir: Path = values.get("data_dir", Path("data"))
    try:
        kept = kept_secrets(data_dir, values["events_url"], generate=generate)
    except (SecretsLost, ValueError, OSError) as error:
        return Settings(**values), [f"{', '.join(missing)}: {error}"]
    values.update({name.lower(): kept[name] for name in missing})
    return Settings(**values), []


def _contradictions(settings: Settings) -> list[str]:
    problems: list[str] = []
    if settings.events_url.startswith("sqlite") and settings.api_workers > 1:
        problems.append("API_WORKERS: SQLite takes one writing API process; use PostgreSQL")
    if settings.smtp_url and settings.mail_from == MAIL_FROM_DEFAULT:
        problems.append("MAIL_FROM: not set; SMTP_URL needs a sender")
    known = {setting.env for _, _, setting in described()}
    strangers = [name for name in settings.allow_unsafe if name not in known]
    return problems + [f"ALLOW_UNSAFE: {name} is not a setting" for name in strangers]


def _refused_in_production(settings: Settings) -> Iterator[str]:
    for name in SECRET_NAMES:
        if not getattr(settings, name.lower()):
            yield f"{name}: not set; production does not generate secrets"
    for name in ("MONGODB_URI", "FILES_URL"):
        if not getattr(settings, name.lower()):
            yield f"{name}: not set; the processes of production share no DATA_DIR"
    if settings.jwt_access_expiry > ACCESS_EXPIRY_MAX:
        yield "JWT_ACCESS_EXPIRY: at most 15m in production"
    for name, why in _unsafe(settings):
        if name not in settings.allow_unsafe:
            yield f"{name}: {why}; if that is intended, set ALLOW_UNSAFE={name}, too"


def _unsafe(settings: Settings) -> Iterator[tuple[str, str]]:
    if not settings.cookie_secure:
        yield "COOKIE_SECURE", "false sends the refresh cookie in the clear"
    if any(network.prefixlen == 0 for network in settings.trusted_proxies):
        yield "TRUSTED_PROXIES", "lets every client choose the address that it is known by"
    if any(network.prefixlen == 0 for network in settings.webhook_allow_networks):
        yield "WEBHOOK_ALLOW_NETWORKS", "lets webhooks reach every server of your network"
