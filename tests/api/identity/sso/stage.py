"""Organizations with identity providers, and browsers that log in through them."""

from typing import Any
from urllib.parse import urlsplit

import httpx
from litestar import Litestar

from tests.api.stage import Json, Person, client_of, done, unique
from tests.identity_provider import CLIENT_SECRET, IdentityProvider

DOMAIN = "corp.example"


async def configure(admin: Person, provider: IdentityProvider, **changes: Any) -> Json:
    """Make *provider* that of the organization in which *admin* works, and prove its domains."""
    shown = await name_provider(admin, provider, **changes)
    for domain in await domains_of(admin):
        record = domain["record"]
        provider.texts.setdefault(record["name"], []).append(record["value"])
        path = f"/org/{admin.org_id}/oidc/domains/{domain['domain']}/prove"
        assert done(await admin.post(path), 200)["proven"]
    return shown


async def domains_of(admin: Person) -> list[Json]:
    """Return the domains of the provider, as the API shows them."""
    return list(done(await admin.get(f"/org/{admin.org_id}/oidc/domains"), 200)["items"])


async def name_provider(admin: Person, provider: IdentityProvider, **changes: Any) -> Json:
    """Make *provider* that of the organization, without a proof of its domains."""
    body = {
        "issuer": provider.issuer,
        "clientId": provider.client_id,
        "clientSecret": CLIENT_SECRET,
        "domains": [DOMAIN],
        **changes,
    }
    shown: Json = done(await admin.ask("PUT", f"/org/{admin.org_id}/oidc", json=body), 200)
    return shown


def knows(provider: IdentityProvider, subject: str, email: str, **claims: Any) -> None:
    """Let somebody have an account at *provider*."""
    provider.people[subject] = {"email": email, "email_verified": True, "name": "Kim", **claims}


async def subdomain_of(admin: Person) -> str:
    return str(done(await admin.get(f"/org/{admin.org_id}"), 200)["subdomain"])


def address() -> str:
    """Return an address in the organization's domain that no other test uses."""
    return f"{unique('k')}@{DOMAIN}"


async def members_of(admin: Person) -> int:
    """Return how many members the organization has, as its plan counts them."""
    return int(done(await admin.get(f"/org/{admin.org_id}/usage"), 200)["used"]["members"])


async def security_events(admin: Person) -> list[Json]:
    """Return what the administrators of the organization can read about its security."""
    return list(done(await admin.get("/audit?category=security"), 200)["items"])


class Browser:
    """Logs in through a provider, and then works with what it got."""

    def __init__(self, app: Litestar, subdomain: str, provider: IdentityProvider) -> None:
        self.app, self.client = app, client_of(app)
        self.subdomain, self.provider = subdomain, provider
        self.token = ""

    async def begin(self, **query: Any) -> str:
        """Return where the browser is sent to."""
        answer = await self.client.get(f"/api/auth/oidc/{self.subdomain}", params=query)
        done_or_moved(answer, 302)
        return answer.headers["location"]

    async def come_back(self, callback: str) -> httpx.Response:
        """Follow the redirect of the provider."""
        parts = urlsplit(callback)
        return await self.client.get(f"{parts.path}?{parts.query}")

    async def log_in(self, subject: str, **query: Any) -> httpx.Response:
        """Go through all of a login."""
        return await self.come_back(self.provider.log_in(await self.begin(**query), subject))

    async def enter(self, subject: str, **query: Any) -> Json:
        """Log in, get an access token, and return the profile."""
        done_or_moved(await self.log_in(subject, **query), 303)
        tokens = await self.client.post("/api/auth/refresh-token")
        self.token = done(tokens, 200)["accessToken"]
        return dict(done(await self.ask("GET", "/auth/profile"), 200))

    async def ask(self, method: str, path: str, **about: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}"}
        return await self.client.request(method, f"/api{path}", headers=headers, **about)


def done_or_moved(answer: httpx.Response, status: int) -> None:
    """Check the status of a response without a JSON body."""
    assert answer.status_code == status, answer.text
