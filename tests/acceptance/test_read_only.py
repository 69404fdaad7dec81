"""While a log is read-only, nothing in the event database changes, whatever people try."""

import asyncio
from typing import Any

import pytest

from tests.acceptance.customers import PASSWORD, Customer
from tests.acceptance.system import System, eventually, system
from tests.deliveries.receiver import Receiver, Reply
from tests.eventstore.backup.filled import contents

pytestmark = pytest.mark.acceptance


async def test_a_read_only_log_and_the_tables_next_to_it_stand_still() -> None:
    with system(WEBHOOK_ALLOW_NETWORKS="127.0.0.0/8") as running:
        async with Receiver() as receiver:
            receiver.answer_with(Reply(delay_s=0.05))
            customer = Customer(running, receiver)
            await customer.arrive()
            await customer.work(lambda: len(customer.acknowledged) >= 3)
            assert running.command("read-only", "on").returncode == 0
            await asyncio.to_thread(eventually, lambda: _pauses(running), "the worker pauses")
            before = _kept(running)

            tried = await _try_everything(customer)
            for name in ("one", "two"):
                made = running.command("backup", str(running.data_dir / name))
                assert made.returncode == 0, made.stderr
                checked = running.command("verify-backup", str(running.data_dir / name))
                assert checked.returncode == 0, checked.stderr

            assert tried == {503}
            refreshed = await customer.http.post("/auth/refresh-token")
            customer.http.headers["authorization"] = f"Bearer {refreshed.json()['accessToken']}"
            assert _kept(running) == before
            assert await customer.tasks() == customer.acknowledged

            assert running.command("read-only", "off").returncode == 0
            await customer.work(lambda: len(customer.acknowledged) >= 5)
            await customer.http.aclose()


def _kept(running: System) -> dict[str, Any]:
    """Return all rows but the signs of life of the projectors, who read on."""
    found = contents(running.environment["EVENTS_URL"])
    return {table: rows for table, rows in found.items() if table != "crew_members"}


def _pauses(running: System) -> bool | None:
    return True if "the worker pauses" in (running.data_dir / "follow.log").read_text() else None


async def _try_everything(customer: Customer) -> set[int]:
    """Log in rightly and wrongly, command and ping; return the statuses."""
    account = {"email": f"{customer.slug}@example.com", "password": PASSWORD}
    [webhook, *_] = customer.webhooks.values()
    asked = [
        ("/auth/login", account),
        ("/auth/login", {**account, "password": "wrong and long enough"}),
        ("/auth/login", {**account, "email": "nobody@example.com"}),
        (customer.tasks_path, {"title": "No"}),
        (f"/webhook/{webhook}/ping", {}),
    ]
    return {(await customer.http.post(path, json=body)).status_code for path, body in asked}
