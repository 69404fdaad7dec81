"""Settings are right or the process does not start."""

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from runtime.settings import SECRETS_FILE, AppEnv, SettingsInvalid, load_settings

STRONG = {
    "JWT_ACCESS_SECRET": "kV8Qw3zNf0aPq7RrT2yUuIoLmXcVbN5s9dFgH1jK",
    "JWT_REFRESH_SECRET": "Zx7CvB2nM4qWeRtYuIoPaSdFgHjKl0123QwErTyU",
    "MASTER_KEY": "pLmOkNiJbUhVgYcTfXrDzEsWaQ9876543210qazWSX",
}
PRODUCTION = {"APP_ENV": "production", "MONGODB_URI": "mongodb://db", **STRONG}


def test_development_makes_its_secrets_once_and_keeps_them_private(tmp_path: Path) -> None:
    first = load_settings({"DATA_DIR": str(tmp_path)})
    second = load_settings({"DATA_DIR": str(tmp_path)})

    assert first == second
    assert len({first.master_key, first.jwt_access_secret, first.jwt_refresh_secret}) == 3
    kept = tmp_path / SECRETS_FILE
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text())["MASTER_KEY"] == first.master_key


def test_the_names_of_other_stacks_are_read(tmp_path: Path) -> None:
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
def test_production_makes_up_no_secret(name: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings({k: v for k, v in PRODUCTION.items() if k != name})

    assert [p.partition(":")[0] for p in refused.value.problems] == [name]


@pytest.mark.parametrize("weak", ["secret", "changeme", "a" * 40, "x"])
def test_a_weak_secret_is_refused_and_not_repeated(weak: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings({**PRODUCTION, "MASTER_KEY": weak})

    [problem] = refused.value.problems
    assert problem.startswith("MASTER_KEY:")
    assert weak == "x" or weak not in problem


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "many"),
        ("JWT_ACCESS_EXPIRY", "soon"),
        ("APP_ENV", "staging"),
        ("COOKIE_SECURE", "perhaps"),
        ("EVENTS_URL", "mysql://db"),
        ("CORS_ORIGINS", "*"),
        ("WEBHOOK_ALLOW_NETWORKS", "everything"),
        ("TRUSTED_PROXIES", "10.0.0.0/99"),
        ("API_WORKERS", "4"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings({"DATA_DIR": str(tmp_path), name: text})

    assert [p.partition(":")[0] for p in refused.value.problems] == [name]


def test_production_embeds_no_store() -> None:
    with pytest.raises(SettingsInvalid, match="MONGODB_URI"):
        load_settings({k: v for k, v in PRODUCTION.items() if k != "MONGODB_URI"})
