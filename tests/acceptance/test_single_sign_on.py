"""Two API processes log people in through an OpenID provider that somebody else wrote."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from devstack.port import HOST, HeldPort
from tests.acceptance.system import ROOT, environment, eventually
from tests.acceptance.test_limits import api
from tests.acceptance.test_login_races import TOGETHER, signed_up
from tests.name_server import Names, name_server

pytestmark = pytest.mark.acceptance
KIM = {"sub": "kim", "email": "kim@corp.example", "email_verified": True, "name": "Kim"}
ROUNDS = 4


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start oidc-provider-mock, which is built on Authlib's server and lets anybody in."""
    folder = tmp_path_factory.mktemp("provider")
    port = HeldPort()
    url = f"http://{HOST}:{int(port)}"
    people = [
        argument
        for person in (
            KIM,
            *({**KIM, "sub": f"n{n}", "email": f"n{n}@corp.example"} for n in range(ROUNDS)),
        )
        for argument in ("--user-claims", json.dumps(person))
    ]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(int(port)), *people]
    with (folder / "provider.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment(folder), cwd=ROOT, stdout=log, stderr=log
        )
    try:
        eventually(lambda: _answers(url), "the provider answers")
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


@pytest.fixture(scope="module")
def names() -> Iterator[Names]:
    """Run the DNS server that the processes ask."""
    with name_server() as running:
        yield running


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory, names: Names) -> Iterator[tuple[str, str]]:
    """Start two API processes on one log."""
    folder = tmp_path_factory.mktemp("single-sign-on")
    allowed = {
        "WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
        "COOKIE_SECURE": "false",
        "DNS_SERVERS": names.address,
    }
    with api(folder, **allowed) as one, api(folder, **allowed) as other:
        yield one, other


def _answers(url: str) -> bool | None:
    try:
        return httpx.get(f"{url}/.well-known/openid-configuration").is_success or None
    except httpx.TransportError:
        return None


async def configured(
    url: str, issuer: str, subdomain: str, names: Names
) -> tuple[str, dict[str, str]]:
    """Open an organization with the provider and its domain; return its id and ADMIN's headers."""
    async with httpx.AsyncClient(timeout=30) as client:
        admin = await signed_up(client, url, f"{subdomain}@example.com")
        body: dict[str, object] = {"name": "Corp", "subdomain": subdomain}
        created = await client.post(f"{url}/org", json=body, headers=admin)
        org_id = str(created.raise_for_status().json()["id"])
        body = {
            "issuer": issuer,
            "clientId": "trackrecord",
            "clientSecret": "secret",
            "domains": ["corp.example"],
        }
        provider = f"{url}/org/{org_id}/oidc"
        (await client.put(provider, json=body, headers=admin)).raise_for_status()
        domains = (await client.get(f"{provider}/domains", headers=admin)).raise_for_status()
        [record] = [each["record"] for each in domains.json()["items"]]
        names.texts.setdefault(record["name"], []).append(record["value"])
        proof = await client.post(f"{provider}/domains/corp.example/prove", headers=admin)
        assert proof.raise_for_status().json()["proven"]
        return org_id, admin


async def callback(browser: httpx.AsyncClient, url: str, subdomain: str, subject: str) -> str:
    """Log in at the provider as a person does, and return the query that it sends back."""
    begun = await browser.get(f"{url}/auth/oidc/{subdomain}")
    assert begun.status_code == 302, begun.text
    form = await browser.get(begun.headers["location"])
    assert form.status_code == 200, form.text
    sent = await browser.post(begun.headers["location"], data={"sub": subject})
    assert sent.status_code == 302, sent.text
    return urlsplit(sent.headers["location"]).query


async def test_a_login_begins_in_one_process_and_ends_in_another(
    processes: tuple[str, str], issuer: str, names: Names
) -> None:
    one, other = processes
    org_id, _ = await configured(one, issuer, "first", names)
    async with httpx.AsyncClient(timeout=30) as browser:
        query = await callback(browser, one, "first", "kim")

        done = await browser.get(f"{other}/auth/oidc/callback?{query}")

        assert done.status_code == 303, done.text
        tokens = (await browser.post(f"{one}/auth/refresh-token")).raise_for_status().json()
        kim = {"authorization": f"Bearer {tokens['accessToken']}"}
        profile = (await browser.get(f"{other}/auth/profile", headers=kim)).json()
        assert (profile["email"], profile["organizationId"]) == (KIM["email"], org_id)
        assert (await browser.get(f"{one}/auth/sessions", headers=kim)).status_code == 403


async def test_a_callback_works_once_and_a_person_joins_once_in_two_processes(
    processes: tuple[str, str], issuer: str, names: Names
) -> None:
    org_id, admin = await configured(processes[0], issuer, "second", names)
    for turn in range(ROUNDS):
        async with httpx.AsyncClient(timeout=30) as browser:
            queries = [
                await callback(browser, processes[0], "second", f"n{turn}") for _ in range(2)
            ]
            asked = [
                browser.get(f"{processes[n % 2]}/auth/oidc/callback?{queries[n // 2 % 2]}")
                for n in range(TOGETHER)
            ]
            answers = await asyncio.gather(*asked)
            usage = await browser.get(f"{processes[1]}/org/{org_id}/usage", headers=admin)

        statuses = sorted(answer.status_code for answer in answers)
        assert statuses[:2] == [303, 303], statuses
        assert not [answer for answer in answers if answer.status_code >= 500]
        assert usage.json()["used"]["members"] == 2 + turn
