"""People who come from another system log in with the passwords they had there."""

import asyncio
from pathlib import Path

import argon2
import bcrypt
import pytest

from api.app import create_app
from cli.__main__ import main
from projections.engine.progress import Progress
from runtime.settings import load_settings
from runtime.system import open_system
from tests.api.stage import client_of, done, log_in
from tests.cli.history import record_history

pytestmark = pytest.mark.servers

OLD = "Kim's oldest password"
LONG = "a very long sentence that nobody would ever type into a form " * 2
CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


def bcrypt_hash(password: str) -> str:
    return bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Record two organizations, and return an empty file for people."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("RATE_LIMITS", "off")
    record_history()
    return tmp_path / "people.csv"


async def _main(*argv: str) -> int:
    return await asyncio.to_thread(main, argv)


def write(people: Path, *lines: str) -> None:
    people.write_text("email,name,password_hash,role\n" + "".join(f"{one}\n" for one in lines))


async def test_old_passwords_work_and_are_hashed_again_at_the_first_login(
    people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        people,
        f"Kim@Example.com,Kim,{bcrypt_hash(OLD)},manager",
        f"lou@example.com,Lou,{bcrypt_hash(LONG)},",
        f'max@example.com,"Max, the second","{CHEAP.hash(OLD)}",ADMIN',
    )

    assert await _main("import-users", str(people), "--organization", "other") == 0
    assert "3 accounts created, 0 were there already" in capsys.readouterr().out
    assert await _main("import-users", str(people), "--organization", "other") == 0
    assert "0 accounts created, 3 were there already" in capsys.readouterr().out

    async with open_system(load_settings()) as system:
        app = create_app(system, Progress(system.read_store, system.log))
        async with client_of(app) as client:
            for email, password, role in (
                ("kim@example.com", OLD, "MANAGER"),
                ("lou@example.com", LONG, "MEMBER"),
                ("max@example.com", OLD, "ADMIN"),
            ):
                for _ in range(2):  # the second time by the new hash
                    token = await log_in(client, email, password)
                headers = {"authorization": f"Bearer {token}"}
                profile = done(await client.get("/api/auth/profile", headers=headers), 200)
                assert profile["role"] == role
                wrong = {"email": email, "password": password[:-1] + "?"}
                assert (await client.post("/api/auth/login", json=wrong)).status_code == 401
            # bcrypt had cut it off; the new hash does not.
            cut = {"email": "lou@example.com", "password": LONG[:72]}
            assert (await client.post("/api/auth/login", json=cut)).status_code == 401


async def test_lines_that_cannot_be_are_named_and_the_others_imported(
    people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = bcrypt_hash(OLD)
    write(
        people,
        f"kim,Kim,{good},",
        "lou@example.com,Lou,5f4dcc3b5aa765d61d8327deb882cf99,",
        f"max@example.com,Max,{good.replace('$04$', '$31$')},",
        f"pat@example.com,,{good},",
        f"sue@example.com,Sue,{good},OWNER",
        f"tim@example.com,Tim,{good},",
    )

    assert await _main("import-users", str(people), "--organization", "other") == 1

    *refused, summary = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in refused] == [f"line {n}" for n in range(2, 7)]
    assert summary == "1 accounts created, 0 were there already, 5 lines refused"


@pytest.mark.parametrize(
    ("content", "organization", "told"),
    [
        ("email,name\n", "other", "has no column password_hash"),
        (b"\xff\xfe\x00", "other", "cannot be read"),
        ("email,name,password_hash\n", "nobody", "no organization with the subdomain nobody"),
    ],
)
def test_a_file_or_organization_that_is_none_changes_nothing(
    people: Path,
    capsys: pytest.CaptureFixture[str],
    content: str | bytes,
    organization: str,
    told: str,
) -> None:
    people.write_bytes(content.encode() if isinstance(content, str) else content)

    assert main(["import-users", str(people), "--organization", organization]) == 2

    assert told in capsys.readouterr().err
