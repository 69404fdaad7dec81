"""Sessions: rotation of refresh tokens, other devices, expiry."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import httpx
from litestar import Litestar

from domain.base import PLATFORM
from domain.identity.session.state import SESSIONS_MAX
from eventstore.mode import LogMode
from runtime.system import System
from tests.api.conftest import Make
from tests.api.stage import (
    PASSWORD,
    MovableClock,
    Person,
    another_device,
    at_once,
    client_of,
    done,
    log_in,
    refused,
    sign_up,
    stored_events,
)

REFRESH = "/api/auth/refresh-token"
COOKIE = "__Host-rt"


def cookie_of(person: Person) -> str:
    return str(person.client.cookies[COOKIE])


async def refresh_with(app: Litestar, token: str, **headers: str) -> httpx.Response:
    """Refresh like a client that has only this token."""
    async with client_of(app) as client:
        return await client.post(REFRESH, headers={"cookie": f"{COOKIE}={token}", **headers})


def family_of(token: str) -> str:
    return token.split(".")[1]


@contextmanager
def read_only(system: System) -> Iterator[None]:
    """Have the log take no commands while the block runs."""
    system.log.store.set_mode(LogMode.READ_ONLY)
    try:
        yield
    finally:
        system.log.store.set_mode(LogMode.OPEN)


class TestReadOnly:
    """While nothing can be recorded, whoever is logged in goes on reading."""

    async def test_a_refresh_gives_a_new_access_token_and_leaves_the_cookie_as_it_is(
        self, system: System, ana: Person, clock: MovableClock
    ) -> None:
        cookie = cookie_of(ana)
        with read_only(system):
            clock.ahead += system.settings.jwt_access_expiry + timedelta(minutes=2)
            assert (await ana.get("/user/me")).status_code == 401
            tokens = [done(await ana.client.post(REFRESH), 200) for _ in range(2)]
            assert cookie_of(ana) == cookie
            ana.token = tokens[-1]["accessToken"]
            done(await ana.get("/user/me"), 200)
        done(await ana.client.post(REFRESH), 200)

        assert cookie_of(ana) != cookie

    async def test_a_refresh_is_refused_to_whoever_has_a_spent_token_or_an_old_session(
        self, system: System, app: Litestar, ana: Person, clock: MovableClock
    ) -> None:
        spent = cookie_of(ana)
        done(await ana.client.post(REFRESH), 200)
        done(await ana.client.post(REFRESH), 200)
        with read_only(system):
            refused(await refresh_with(app, spent), 401, "unauthorized")
            clock.ahead += system.settings.jwt_refresh_expiry
            refused(await ana.client.post(REFRESH), 401, "unauthorized")
            clock.ahead *= 0
            done(await ana.client.post(REFRESH), 200)

    async def test_a_refresh_waits_for_a_log_that_was_moved(
        self, system: System, ana: Person
    ) -> None:
        with read_only(system):
            system.log.store.set_mode(LogMode.MOVED)
            refused(await ana.client.post(REFRESH), 503, "read_only")

    async def test_a_login_is_refused_the_same_way_to_everybody(
        self, system: System, app: Litestar, ana: Person
    ) -> None:
        with read_only(system):
            for email, password in (
                (ana.email, PASSWORD),
                (ana.email, "wrong and long enough"),
                ("nobody@example.com", "wrong and long enough"),
            ):
                async with client_of(app) as client:
                    account = {"email": email, "password": password}
                    answer = await client.post("/api/auth/login", json=account)
                refused(answer, 503, "read_only")


class TestRefresh:
    async def test_a_refresh_rotates_the_cookie_and_returns_a_valid_token(
        self, ana: Person
    ) -> None:
        old = cookie_of(ana)

        tokens = done(await ana.client.post(REFRESH), 200)

        assert cookie_of(ana) != old
        assert "refresh" not in str(tokens).lower()
        ana.token = tokens["accessToken"]
        done(await ana.get("/user/me"), 200)

    async def test_sixteen_concurrent_refreshes_get_the_same_successor(
        self, app: Litestar, system: System, ana: Person
    ) -> None:
        token = cookie_of(ana)

        answers = await at_once(*(refresh_with(app, token) for _ in range(16)))

        successors = {answer.headers["set-cookie"] for answer in answers}
        assert [answer.status_code for answer in answers] == [200] * 16
        assert len(successors) == 1
        events = await stored_events(system, family_of(token))
        assert events == ["session.started", "session.rotated"]

    async def test_a_spent_refresh_token_ends_the_session(
        self, app: Litestar, system: System, ana: Person, clock: MovableClock
    ) -> None:
        spent = cookie_of(ana)
        ana.token = done(await ana.client.post(REFRESH), 200)["accessToken"]
        done(await ana.get("/user/me"), 200)
        clock.ahead = timedelta(seconds=11)

        refused(await refresh_with(app, spent), 401, "unauthorized")

        refused(await ana.client.post(REFRESH), 401, "unauthorized")
        refused(await ana.get("/user/me"), 401, "unauthorized")
        events = await stored_events(system, family_of(spent))
        assert events[-2:] == ["session.reuse_detected", "session.revoked"]

    async def test_a_refresh_whose_response_was_lost_is_repeated_until_the_successor_is_used(
        self, app: Litestar, make_app: Make, ana: Person, clock: MovableClock
    ) -> None:
        token, other_process = cookie_of(ana), make_app()
        lost = await refresh_with(app, token)
        clock.ahead = timedelta(minutes=12)

        again = [await refresh_with(each, token) for each in (app, other_process)]

        assert {each.headers["set-cookie"] for each in again} == {lost.headers["set-cookie"]}
        ana.token = done(again[0], 200)["accessToken"]
        done(await ana.get("/user/me"), 200)
        refused(await refresh_with(other_process, token), 401, "unauthorized")
        refused(await ana.get("/user/me"), 401, "unauthorized")

    async def test_an_access_token_from_before_the_refresh_uses_no_successor(
        self, app: Litestar, ana: Person, clock: MovableClock
    ) -> None:
        token = cookie_of(ana)
        lost = await refresh_with(app, token)
        done(await ana.get("/user/me"), 200)
        clock.ahead = timedelta(minutes=5)

        again = await refresh_with(app, token)

        assert again.headers["set-cookie"] == lost.headers["set-cookie"]

    async def test_forged_refresh_tokens_change_nothing(self, app: Litestar, ana: Person) -> None:
        done(await ana.client.post(REFRESH), 200)
        version, family, generation, mac = cookie_of(ana).split(".")
        for forged in (
            f"{version}.{family}.0.{mac}",
            f"{version}.{family}.{generation}.{'A' * 43}",
            f"{version}.00000000-0000-0000-0000-000000000000.0.{mac}",
            "rt1",
            "x" * 4000,
            "",
        ):
            refused(await refresh_with(app, forged), 401, "unauthorized")

        done(await ana.client.post(REFRESH), 200)

    async def test_idle_and_old_sessions_cannot_be_refreshed(
        self, app: Litestar, ana: Person, clock: MovableClock
    ) -> None:
        token = cookie_of(ana)
        clock.ahead = timedelta(days=7, minutes=1)
        refused(await refresh_with(app, token), 401, "unauthorized")

        busy = await sign_up(app, organization=False)
        token = cookie_of(busy)
        for days in (13, 19, 25, 31, 36):
            clock.ahead = timedelta(days=days)
            answer = await refresh_with(app, token)
            token = done(answer, 200) and answer.headers["set-cookie"].split("=")[1].split(";")[0]
        clock.ahead = timedelta(days=38)
        refused(await refresh_with(app, token), 401, "unauthorized")

    async def test_pages_of_other_origins_cannot_refresh(self, app: Litestar, ana: Person) -> None:
        for headers in (
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site", "origin": "https://sub.example.org"},
        ):
            refused(await refresh_with(app, cookie_of(ana), **headers), 403, "origin_not_allowed")
        for headers in ({"origin": "http://localhost:5173"}, {"sec-fetch-site": "same-origin"}):
            done(await refresh_with(app, cookie_of(ana), **headers), 200)

    async def test_a_refresh_refuses_forms_and_plain_text(self, app: Litestar, ana: Person) -> None:
        for kind in ("text/plain", "application/x-www-form-urlencoded"):
            response = await ana.client.post(REFRESH, content="{}", headers={"content-type": kind})
            refused(response, 415, "unsupported_media_type")
        done(await ana.client.post(REFRESH, json={}), 200)


class TestSessions:
    async def test_a_user_can_list_and_end_their_sessions(self, ana: Person) -> None:
        elsewhere = await log_in(another_device(ana), ana.email)

        items = done(await ana.get("/auth/sessions"), 200)["items"]
        assert len(items) == 2
        mine = family_of(cookie_of(ana))
        other = next(item["id"] for item in items if item["id"] != mine)
        done(await ana.delete(f"/auth/sessions/{other}"), 204)

        assert [i["id"] for i in done(await ana.get("/auth/sessions"), 200)["items"]] == [mine]
        headers = {"authorization": f"Bearer {elsewhere}"}
        refused(await ana.client.get("/api/user/me", headers=headers), 401, "unauthorized")

    async def test_a_session_shows_device_address_organization_and_last_use(
        self, ana: Person, clock: MovableClock
    ) -> None:
        firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0"
        phone = another_device(ana)
        phone.headers["user-agent"] = firefox
        await log_in(phone, ana.email)
        clock.ahead += timedelta(minutes=11)

        items = done(await ana.get("/auth/sessions"), 200)["items"]

        here, there = sorted(items, key=lambda item: not item["current"])
        assert (here["current"], there["current"]) == (True, False)
        assert (here["device"], there["device"]) == ("a Python program", "Firefox on Windows")
        for item in items:
            assert (item["ip"], item["network"]) == ("192.0.2.7", "192.0.2.0/24")
            assert item["organizationId"] == ana.org_id
        assert here["lastUsedAt"] > there["lastUsedAt"]
        assert here["lastUsedAt"] > here["startedAt"]

    async def test_the_last_use_is_noted_coarsely_and_not_as_an_event(
        self, system: System, ana: Person, clock: MovableClock
    ) -> None:
        session = family_of(cookie_of(ana))
        first = done(await ana.get("/auth/sessions"), 200)["items"][0]["lastUsedAt"]
        clock.ahead += timedelta(minutes=9)
        assert done(await ana.get("/auth/sessions"), 200)["items"][0]["lastUsedAt"] == first
        clock.ahead += timedelta(minutes=2)
        assert done(await ana.get("/auth/sessions"), 200)["items"][0]["lastUsedAt"] > first
        assert await stored_events(system, session) == ["session.started"]
        kept = await system.log.secrets(UUID(session), PLATFORM)
        assert b"192.0.2.7" not in b"".join(kept.values()), "sealed under the person's key"

    async def test_a_user_can_end_all_other_sessions(self, ana: Person, dan: Person) -> None:
        others = [await log_in(another_device(ana), ana.email) for _ in range(3)]

        done(await ana.delete("/auth/sessions"), 204)

        for token in others:
            headers = {"authorization": f"Bearer {token}"}
            refused(await ana.client.get("/api/user/me", headers=headers), 401, "unauthorized")
        assert len(done(await ana.get("/auth/sessions"), 200)["items"]) == 1
        done(await dan.get("/user/me"), 200)

    async def test_the_oldest_session_ends_when_there_are_too_many(self, ana: Person) -> None:
        tokens = [await log_in(another_device(ana), ana.email) for _ in range(SESSIONS_MAX)]

        refused(await ana.get("/user/me"), 401, "unauthorized")
        ana.token = tokens[-1]
        assert len(done(await ana.get("/auth/sessions"), 200)["items"]) == SESSIONS_MAX

    async def test_nobody_can_end_another_users_session(self, ana: Person, dan: Person) -> None:
        theirs = family_of(cookie_of(dan))

        refused(await ana.delete(f"/auth/sessions/{theirs}"), 404, "not_found")

        done(await dan.get("/user/me"), 200)
