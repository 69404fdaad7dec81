"""A process starts only with valid settings."""

import json
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from runtime.secret_file import SECRETS_FILE
from runtime.setting import AppEnv, LogLevel, SettingsInvalid, environment
from runtime.settings import Settings, described, load_settings, unknown_names

STRONG = {
    "JWT_ACCESS_SECRET": "kV8Qw3zNf0aPq7RrT2yUuIoLmXcVbN5s9dFgH1jK",
    "JWT_REFRESH_SECRET": "Zx7CvB2nM4qWeRtYuIoPaSdFgHjKl0123QwErTyU",
    "MASTER_KEY": "pLmOkNiJbUhVgYcTfXrDzEsWaQ9876543210qazWSX",
    "LOG_SECRET": "qWe9RtYuI8oPaSd7FgHjK6lZxCv5BnM4qAzWsXeDcR",
}
PRODUCTION = {
    "APP_ENV": "production",
    "MONGODB_URI": "mongodb://db",
    "FILES_URL": "s3://files",
    **STRONG,
}


def test_development_generates_its_secrets_once_and_keeps_them_private(tmp_path: Path) -> None:
    first = load_settings({"DATA_DIR": str(tmp_path)})
    second = load_settings({"DATA_DIR": str(tmp_path)})

    assert first == second
    assert len({first.master_key, first.jwt_access_secret, first.jwt_refresh_secret}) == 3
    kept = tmp_path / SECRETS_FILE
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text())["MASTER_KEY"] == first.master_key


def test_variable_names_of_other_stacks_are_read(tmp_path: Path) -> None:
    settings = load_settings(
        {
            "NODE_ENV": "test",
            "DATA_DIR": str(tmp_path),
            "PORT": "4000",
            "JWT_ACCESS_EXPIRY": "5m",
            "CORS_ORIGINS": "https://a.example, https://b.example",
            "COOKIE_SECURE": "false",
        }
    )

    assert settings.app_env is AppEnv.TEST
    assert settings.port == 4000
    assert settings.jwt_access_expiry == timedelta(minutes=5)
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert settings.cookie_secure is False
    assert settings.events_url == f"sqlite:///{tmp_path / 'events.db'}"


def test_cookies_are_secure_outside_development() -> None:
    assert load_settings(PRODUCTION).cookie_secure


@pytest.mark.parametrize("name", list(STRONG))
def test_production_generates_no_secrets(name: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings({k: v for k, v in PRODUCTION.items() if k != name})

    assert [p.partition(":")[0] for p in refused.value.problems] == [name]


@pytest.mark.parametrize("weak", ["secret", "changeme", "a" * 40, "x"])
def test_a_weak_secret_is_refused_without_printing_it(weak: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings({**PRODUCTION, "MASTER_KEY": weak})

    [problem] = refused.value.problems
    assert problem.startswith("MASTER_KEY:")
    assert weak == "x" or weak not in problem


REFUSED: dict[str, tuple[str, ...]] = {
    "APP_ENV": ("staging", "PRODUCTION"),
    "HOST": ("http://localhost", "127.0.0.1:80", "two words", "::1%", "-a"),
    "PORT": ("many", "0", "-1", "65536", "3.5", "٣"),
    "DATA_DIR": (__file__,),
    "EVENTS_URL": (
        "mysql://db",
        "sqlite:///",
        "postgresql://db",
        "postgresql://db:none/log",
        "postgresql://db:99999/log",
        "postgresql://db/log?sslmod=require",
        "sqlite:///log.db?partitions=many",
        "sqlite:///log.db?distributed=on",
        "postgresql://a.example/log?distributed=yes",
        "postgresql://a.example/log?distributed=on&distributed=on",
    ),
    "SIGNED_HEADS_URL": ("heads", "s3://", "file://host/heads"),
    "FILES_URL": ("files", "s3://", "s3://files?bucket=x", "file:///", "file://host/files"),
    "FILES_DEADLINE": ("0s", "1h"),
    "SCAN_HOOK": ("clamscan '-",),
    "MONGODB_URI": ("localhost", "mongodb://", "http://db", "mongodb://db:99999"),
    "MONGODB_DATABASE": ("a.b", "a b", "x" * 64),
    "REDIS_URL": ("localhost:6379", "http://cache", "redis//cache"),
    "EVENTS_DEADLINE": ("0", "31s", "500ms", "1m"),
    "OPERATIONS_DEADLINE": ("0", "31s"),
    "READ_MODELS_DEADLINE": ("0", "31s"),
    "REDIS_DEADLINE": ("0", "31s", "soon"),
    "STALLED_AFTER": ("0", "11m"),
    "JWT_ACCESS_SECRET": ("secret", "a" * 40),
    "JWT_NEXT_SECRET": ("secret", "a" * 40),
    "JWT_PREVIOUS_SECRET": ("secret", "a" * 40),
    "JWT_REFRESH_SECRET": ("secret", "a" * 40),
    "JWT_ACCESS_EXPIRY": ("soon", "0", "0s", "2d", "-1", "1.5m"),
    "JWT_REFRESH_EXPIRY": ("never", "0", "59s", "8d"),
    "MASTER_KEY": ("changeme", "a" * 40),
    "MASTER_PREVIOUS_KEY": ("changeme", "a" * 40),
    "PASSWORD_PEPPER": ("changeme", "a" * 40),
    "PASSWORD_PREVIOUS_PEPPER": ("changeme", "a" * 40),
    "LOG_SECRET": ("secret", "a" * 40),
    "DNS_SERVERS": ("dns.example.com", "192.0.2.53:0x35", "u@192.0.2.53", "192.0.2.53/24"),
    "CORS_ORIGINS": ("*", "example.com", "https://a.example/", "https://u@a.example", "null"),
    "API_URL": ("*", "example.com", "https://a.example/", "null"),
    "APP_URL": ("*", "example.com", "https://a.example/", "null"),
    "SMTP_URL": ("mail.example.com", "http://a.example", "smtp://", "smtp://a:b"),
    "MAIL_FROM": ("nobody", "@example.com", "a@"),
    "COOKIE_SECURE": ("perhaps", "yes"),
    "ARGON2_MEMORY": ("many", "19455", "1048577"),
    "ARGON2_ITERATIONS": ("1", "21"),
    "PASSWORD_MIN_LENGTH": ("7", "0", "long", "257"),
    "RATE_LIMITS": ("login", "login=0/60", "login=1/0", "api=a/b", "api=1/1,", "logins=1/1"),
    "TRUSTED_PROXIES": ("10.0.0.0/99", "proxy", "10.0.0.1/8"),
    "METRICS_PORT": ("-1", "65536", "on"),
    "METRICS_NETWORKS": ("localhost",),
    "WEBHOOK_ALLOW_NETWORKS": ("everything", "::1/200"),
    "API_WORKERS": ("0", "-2", "4", "two"),
    "LOG_LEVEL": ("LOUD", "10"),
    "ALLOW_UNSAFE": ("EVERYTHING",),
}
"""Values that are refused outside production, too."""


def _refused() -> Iterator[tuple[str, str]]:
    for name, texts in REFUSED.items():
        for text in texts:
            yield name, text


def test_every_setting_has_a_value_that_is_refused() -> None:
    assert {setting.env for _, _, setting in described()} == set(REFUSED)


@pytest.mark.parametrize(("name", "text"), list(_refused()))
def test_a_wrong_value_is_named_on_one_line(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings({"DATA_DIR": str(tmp_path), name: text})

    [problem] = refused.value.problems
    assert problem.startswith(f"{name}: ")
    assert "\n" not in problem


def test_every_wrong_value_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings({"DATA_DIR": str(tmp_path), "PORT": "0", "LOG_LEVEL": "LOUD"})

    assert [p.partition(":")[0] for p in refused.value.problems] == ["PORT", "LOG_LEVEL"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("HOST", "::1"),
        ("HOST", "api.internal"),
        ("PORT", "65535"),
        ("EVENTS_URL", "postgresql:///log"),
        ("MONGODB_URI", "mongodb+srv://cluster.example/"),
        ("FILES_URL", "s3://k:s@files/of/us?endpoint=http://127.0.0.1:9000&region=x"),
        ("FILES_URL", "file:///srv/files"),
        ("REDIS_URL", "unix:///run/redis.sock?db=1"),
        ("RATE_LIMITS", "off"),
        ("LOG_LEVEL", "debug"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8"),
    ],
)
def test_a_right_value_is_taken(tmp_path: Path, name: str, text: str) -> None:
    load_settings({"DATA_DIR": str(tmp_path), name: text})


def test_the_level_of_the_log_is_read_in_any_case(tmp_path: Path) -> None:
    settings = load_settings({"DATA_DIR": str(tmp_path), "LOG_LEVEL": "warning"})

    assert settings.log_level is LogLevel.WARNING


@pytest.mark.parametrize("name", ["MONGODB_URI", "FILES_URL"])
def test_production_embeds_no_store(name: str) -> None:
    with pytest.raises(SettingsInvalid, match=name):
        load_settings({k: v for k, v in PRODUCTION.items() if k != name})


def test_production_keeps_access_tokens_short() -> None:
    load_settings({**PRODUCTION, "JWT_ACCESS_EXPIRY": "15m"})
    with pytest.raises(SettingsInvalid, match="JWT_ACCESS_EXPIRY: at most 15m"):
        load_settings({**PRODUCTION, "JWT_ACCESS_EXPIRY": "16m"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("COOKIE_SECURE", "false"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,0.0.0.0/0"),
        ("TRUSTED_PROXIES", "::/0"),
        ("WEBHOOK_ALLOW_NETWORKS", "0.0.0.0/0"),
    ],
)
def test_production_accepts_an_unsafe_value_only_if_it_is_confirmed(name: str, text: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings({**PRODUCTION, name: text})

    [problem] = refused.value.problems
    assert problem.startswith(f"{name}: ")
    load_settings({**PRODUCTION, name: text, "ALLOW_UNSAFE": name})


def test_secrets_are_not_generated_for_an_existing_log(
    tmp_path: Path,
) -> None:
    (tmp_path / "events.db").touch()

    with pytest.raises(SettingsInvalid, match="json is missing"):
        load_settings({"DATA_DIR": str(tmp_path)})

    assert not (tmp_path / SECRETS_FILE).exists()
    assert load_settings({"DATA_DIR": str(tmp_path), **STRONG}).master_key == STRONG["MASTER_KEY"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"MASTER_KEY": "x"}'])
def test_a_damaged_file_of_secrets_is_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / SECRETS_FILE).write_text(content)

    with pytest.raises(SettingsInvalid) as refused:
        load_settings({"DATA_DIR": str(tmp_path)})

    assert len(refused.value.problems) == 1


def test_only_the_owner_may_enter_the_data_directory(tmp_path: Path) -> None:
    load_settings({"DATA_DIR": str(tmp_path / "data")})

    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


MISSPELLED = ["JWT_ACCES_SECRET", "RATE_LIMIT", "TRACKRECORD_PORT"]


def test_a_misspelled_name_is_warned_about_and_a_foreign_one_is_not() -> None:
    environ = dict.fromkeys(
        ["PATH", "PWD", "HOSTNAME", "LOGNAME", "POSTGRES_PASSWORD", "PORT", *MISSPELLED], "x"
    )

    warned = [warning.split()[0] for warning in unknown_names(environ)]

    assert warned == MISSPELLED


def test_a_file_named_env_completes_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("# ours\nPORT=4001\nexport LOG_LEVEL='DEBUG'\nHOST=::1\n")
    monkeypatch.setenv("PORT", "4002")
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    for name in ("LOG_LEVEL", "HOST", "APP_ENV", "NODE_ENV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    settings: Settings = load_settings()

    assert (settings.port, settings.log_level, settings.host) == (4002, LogLevel.DEBUG, "::1")


def test_a_line_of_that_file_without_a_value_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT\n")

    with pytest.raises(SettingsInvalid, match="PORT: has no value"):
        environment(tmp_path)
