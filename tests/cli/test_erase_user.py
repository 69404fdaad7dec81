"""The operator erases people who cannot do it themselves."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import bcrypt
import pytest

from cli.__main__ import main
from commands.lint.walk import lint_log
from commands.reservations import email_claim
from domain.base import PLATFORM
from domain.identity.organization.membership import MemberLeft
from domain.identity.user.erasure import UserErased
from runtime.settings import load_settings
from runtime.system import open_system
from tests.cli.history import record_history
from workers.consequences.erasing import Erasing

pytestmark = pytest.mark.servers
KIM = "kim-canary@example.com"


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Record two organizations, of which the other one has Kim as a member, too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    record_history()
    hashed = bcrypt.hashpw(b"Kim's oldest password", bcrypt.gensalt(4)).decode()
    people = tmp_path / "people.csv"
    people.write_text(f"email,name,password_hash\n{KIM},Kim Canary,{hashed}\n")
    assert main(["import-users", str(people), "--organization", "other"]) == 0
    return tmp_path


async def _holder(email: str) -> UUID | None:
    async with open_system(load_settings()) as system:
        return await system.log.holder(email_claim(system.log.keys.fingerprint, email))


def test_somebody_is_erased_and_leaves_their_organizations(
    history: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kim = asyncio.run(_holder(KIM))

    assert main(["erase-user", KIM.upper(), "--yes"]) == 0

    assert "user.erased" in capsys.readouterr().out
    assert main(["erase-user", KIM, "--yes"]) == 2
    assert "nobody has an account" in capsys.readouterr().err
    assert kim is not None
    asyncio.run(_erased(kim))
    assert "Kim Canary" not in "".join(_rows(history))


async def _erased(kim: UUID) -> None:
    """Do what a worker does, and check what is left."""
    async with open_system(load_settings()) as system:
        await Erasing(system).act()
        account = await system.log.stream(kim, PLATFORM)
        left = [
            each.event
            for part in range(system.log.parts)
            for each in await system.log.tail(0, 10_000, part=part)
            if isinstance(each.event, MemberLeft)
        ]
        findings = [finding async for finding in lint_log(system.log)]

    assert isinstance(account[-1].event, UserErased)
    assert "Kim" not in repr(account)
    assert "kim-canary" not in repr(account)
    assert [event.user_id for event in left] == [kim]
    assert findings == []


def _rows(folder: Path) -> Iterator[str]:
    """Yield every row of the stores as SQL."""
    for path in (folder / "data").glob("*.db"):
        with closing(sqlite3.connect(path)) as database:
            yield from database.iterdump()


@pytest.mark.usefixtures("history")
def test_nobody_is_erased_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["erase-user", KIM]) == 2

    assert "use --yes" in capsys.readouterr().err
    assert asyncio.run(_holder(KIM)) is not None


@pytest.mark.usefixtures("history")
def test_the_last_admin_of_an_organization_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["erase-user", "olga@example.test", "--yes"]) == 1

    assert "last active ADMIN" in capsys.readouterr().err
    assert asyncio.run(_holder("olga@example.test")) is not None
