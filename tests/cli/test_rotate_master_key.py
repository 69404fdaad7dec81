"""The master key is replaced while the system runs, and the old one is then worth nothing."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest

from cli.__main__ import main
from eventstore.append import LogUnfit, Secret
from runtime.key_rotation import Rotated, outdated, wrap_again
from runtime.settings import load_settings
from runtime.system import derive_keys, open_system
from tests.cli.history import exports, record_history
from tests.domain.spec import ACME, OTHER

pytestmark = pytest.mark.servers

NEW_KEY = "w2KfqYv7Lr4Tz8Wp1Yc6Hd3Nf5Bg0JsAeUi9xQz"
WEBHOOKS = [UUID(int=0xA000 + n) for n in range(3)]


@pytest.fixture
def old_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Record the history of two organizations under a first master key, which is returned."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("EVENTS_URL", f"sqlite:///{tmp_path}/data/events.db?partitions=4")
    record_history()
    asyncio.run(_keep_webhook_secrets())
    return load_settings().master_key


async def _keep_webhook_secrets() -> None:
    settings = load_settings()
    async with open_system(settings) as system:
        for webhook, org_id in zip(WEBHOOKS, (ACME, OTHER, ACME), strict=True):
            sealed = derive_keys(settings).master.wrap(b"whsec_" + webhook.bytes, webhook)
            await system.log.put_secret(Secret(webhook, "secret 1", sealed), org_id)


async def _webhook_secrets() -> list[bytes]:
    async with open_system(load_settings()) as system:
        found: list[bytes] = []
        for webhook, org_id in zip(WEBHOOKS, (ACME, OTHER, ACME), strict=True):
            sealed = await system.log.secret(webhook, org_id, "secret 1")
            assert sealed is not None
            found.append(system.keys.master.unwrap(sealed, webhook))
        return found


def test_after_the_rotation_only_the_new_key_opens_anything(
    old_key: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, secrets = exports(), asyncio.run(_webhook_secrets())
    monkeypatch.setenv("MASTER_KEY", NEW_KEY)
    monkeypatch.setenv("MASTER_PREVIOUS_KEY", old_key)
    main(["doctor"])
    assert "run `trackrecord rotate-master-key`" in capsys.readouterr().out

    assert main(["rotate-master-key"]) == 0

    main(["doctor"])
    assert "ok   keys: all are wrapped by MASTER_KEY" in capsys.readouterr().out
    monkeypatch.delenv("MASTER_PREVIOUS_KEY")
    assert exports() == before
    assert asyncio.run(_webhook_secrets()) == secrets
    monkeypatch.setenv("MASTER_KEY", old_key)
    with pytest.raises(LogUnfit, match="MASTER_KEY is not the one"):
        asyncio.run(_webhook_secrets())


def test_an_interrupted_rotation_is_continued_by_the_next_run(
    old_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASTER_KEY", NEW_KEY)
    monkeypatch.setenv("MASTER_PREVIOUS_KEY", old_key)

    def interrupt(_: str, seen: int) -> None:
        raise InterruptedError

    async def rotate(watch: Callable[[str, int], None]) -> tuple[Rotated | None, int]:
        async with open_system(load_settings()) as system:
            rotated = None
            with suppress(InterruptedError):
                rotated = await wrap_again(system.log, system.keys.master, watch)
            return rotated, await outdated(system.log, system.keys.master)

    _, left = asyncio.run(rotate(interrupt))
    rotated, at_end = asyncio.run(rotate(lambda *_: None))

    assert rotated is not None
    assert 0 < left == rotated.wrapped < rotated.seen
    assert at_end == 0


def test_nothing_is_wrapped_again_while_the_log_is_read_only(
    old_key: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MASTER_KEY", NEW_KEY)
    monkeypatch.setenv("MASTER_PREVIOUS_KEY", old_key)
    assert main(["read-only", "on"]) == 0

    assert main(["rotate-master-key"]) == 1

    assert "nothing may be written now" in capsys.readouterr().err


def test_without_the_previous_key_the_operator_is_told_what_to_do(
    old_key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rotate-master-key"]) == 2

    assert "set MASTER_KEY to the new key and MASTER_PREVIOUS_KEY" in capsys.readouterr().err
