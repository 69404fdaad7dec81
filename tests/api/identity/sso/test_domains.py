"""A provider vouches only for addresses in domains that its organization has proven its own."""

from collections.abc import AsyncIterator

import pytest
from litestar import Litestar

from api.login.sso import domain_records
from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.identity.sso.stage import (
    DOMAIN,
    Browser,
    address,
    configure,
    domains_of,
    knows,
    members_of,
    name_provider,
    security_events,
    subdomain_of,
)
from tests.api.stage import Json, Person, done, join, refused, sign_up
from tests.identity_provider import IdentityProvider
from tests.name_server import Names

OTHER = "other.example"


@pytest.fixture
async def unproven(
    app: Litestar, ana: Person, provider: IdentityProvider
) -> AsyncIterator[Browser]:
    """Yield a browser in front of an organization that has named a provider and proven nothing."""
    await name_provider(ana, provider, domains=[DOMAIN, OTHER])
    opened = Browser(app, await subdomain_of(ana), provider)
    yield opened
    await opened.client.aclose()


def proving(admin: Person, domain: str = DOMAIN) -> str:
    return f"/org/{admin.org_id}/oidc/domains/{domain}/prove"


def write(names: Names, domain: Json, *more: str) -> None:
    """Write the record that proves *domain* into the DNS, after *more* texts."""
    names.texts[domain["record"]["name"]] = [*more, domain["record"]["value"]]


class TestProof:
    async def test_a_domain_is_proven_by_its_record_in_the_dns(
        self, ana: Person, unproven: Browser, names: Names
    ) -> None:
        first, second = await domains_of(ana)
        assert (first["domain"], first["proven"]) == (DOMAIN, False)
        assert first["record"]["name"] == f"_trackrecord.{DOMAIN}"
        assert first["record"]["type"] == "TXT"
        write(names, first, "v=spf1 -all", "x" * 600)

        proven = done(await ana.post(proving(ana)), 200)

        assert proven == {**first, "proven": True}
        assert await domains_of(ana) == [proven, second]
        assert f"TXT _trackrecord.{DOMAIN}" in names.asked
        assert f"TXT _trackrecord.{OTHER}" not in names.asked

    @pytest.mark.parametrize(
        "texts", [None, [], ["trackrecord-domain="], ["x"]], ids=["none", "empty", "blank", "other"]
    )
    async def test_without_the_record_it_is_not(
        self, ana: Person, unproven: Browser, names: Names, texts: list[str] | None
    ) -> None:
        first, _ = await domains_of(ana)
        if texts is not None:
            names.texts[first["record"]["name"]] = texts

        problem = refused(await ana.post(proving(ana)), 409, "domain_record_missing")

        assert problem["record"] == first["record"]
        assert not (await domains_of(ana))[0]["proven"]

    async def test_the_record_of_another_organization_or_domain_proves_nothing(
        self, ana: Person, dan: Person, unproven: Browser, names: Names
    ) -> None:
        await name_provider(dan, unproven.provider)
        (theirs,), (_, second) = await domains_of(dan), await domains_of(ana)
        ours, other = theirs["record"]["value"], second["record"]["value"]
        names.texts[theirs["record"]["name"]] = [ours, other]

        refused(await ana.post(proving(ana)), 409, "domain_record_missing")
        done(await dan.post(proving(dan)), 200)

    async def test_a_dns_that_fails_or_hangs_is_told_apart(
        self, ana: Person, unproven: Browser, names: Names, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(domain_records, "DNS_DEADLINE_S", 0.3)
        names.fails = True

        refused(await ana.post(proving(ana)), 502, "dns_failed")

    async def test_a_proof_is_recorded_once_and_by_name(
        self, ana: Person, unproven: Browser, names: Names
    ) -> None:
        write(names, (await domains_of(ana))[0])
        for _ in range(2):
            done(await ana.post(proving(ana)), 200)

        told = [e for e in await security_events(ana) if e["type"] == "organization.domain_proven"]
        assert [e["data"] for e in told] == [{"domain": DOMAIN}]
        assert [e["command"] for e in told] == ["ProveDomain"]

    async def test_only_admins_prove_and_only_what_they_named(
        self, system: System, ana: Person, dan: Person, unproven: Browser, names: Names
    ) -> None:
        ben = await sign_up(unproven.app)
        await join(system, ben, ana.org_id, Role.MANAGER)
        names.asked.clear()

        refused(await ben.post(proving(ana)), 403, "not_permitted")
        refused(await dan.post(proving(ana)), 404, "not_found")
        refused(await ana.post(proving(ana, "evil.example")), 404, "not_found")
        refused(await dan.post(proving(dan)), 404, "not_found")
        assert names.asked == []
        await ben.client.aclose()


class TestLogin:
    async def test_nobody_enters_from_a_domain_that_is_not_proven(
        self, ana: Person, unproven: Browser, names: Names
    ) -> None:
        write(names, (await domains_of(ana))[1])
        done(await ana.post(proving(ana, OTHER)), 200)
        knows(unproven.provider, "kim", address())

        refused(await unproven.log_in("kim"), 403, "domain_not_proven")

        assert await members_of(ana) == 1
        reasons = [e["data"]["reason"] for e in await security_events(ana) if "reason" in e["data"]]
        assert reasons == ["domain_not_proven"]
        write(names, (await domains_of(ana))[0])
        done(await ana.post(proving(ana)), 200)
        assert (await unproven.enter("kim"))["organizationId"] == ana.org_id

    async def test_whether_such_an_address_has_an_account_is_not_told(
        self, app: Litestar, unproven: Browser
    ) -> None:
        squatter = await sign_up(app, email=address())
        knows(unproven.provider, "kim", squatter.email)

        refused(await unproven.log_in("kim"), 403, "domain_not_proven")
        await squatter.client.aclose()

    async def test_a_proof_holds_as_long_as_the_domain_is_named(
        self, ana: Person, unproven: Browser
    ) -> None:
        provider = unproven.provider
        knows(provider, "kim", address())
        await configure(ana, provider)
        await name_provider(ana, provider, domains=[DOMAIN, OTHER])
        await unproven.enter("kim")

        await name_provider(ana, provider, domains=[OTHER])
        await name_provider(ana, provider, domains=[DOMAIN])
        refused(await unproven.log_in("kim"), 403, "domain_not_proven")
        await configure(ana, provider)
        await unproven.enter("kim")
        done(await ana.delete(f"/org/{ana.org_id}/oidc"), 204)
        await name_provider(ana, provider)

        refused(await unproven.log_in("kim"), 403, "domain_not_proven")
