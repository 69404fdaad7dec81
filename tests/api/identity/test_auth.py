"""Login, logout, access tokens and changes of passwords."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from litestar import Litestar

from commands.identity.user import PASSWORD as NAME
from domain.base import PLATFORM
from eventstore.append import Secret
from runtime.system import System
from security.passwords import Passwords
from tests.api.conftest import Make
from tests.api.identity.reading import note_reads
from tests.api.stage import (
    PASSWORD,
    MovableClock,
    Person,
    done,
    log_in,
    refused,
    sign_up,
    stored_events,
    unique,
)
from workers.errands import do_errands

LOGIN = "/api/auth/login"


class TestLogIn:
    async def test_the_refresh_token_is_only_in_the_cookie(self, app: Litestar) -> None:
        person = await sign_up(app, organization=False)

        body = {"email": person.email.upper(), "password": PASSWORD}
        response = await person.client.post(LOGIN, json=body)

        tokens = done(response, 200)
        assert set(tokens) == {"accessToken", "tokenType", "expiresIn", "user"}
        assert tokens["user"]["email"] == person.email
        assert tokens["expiresIn"] == 900
        cookie, device = response.headers.get_list("set-cookie")
        assert device.startswith("__Host-kd=kd1.")
        assert "Max-Age=7776000" in device
        assert cookie.startswith("__Host-rt=rt1.")
        for flag in ("Path=/", "HttpOnly", "SameSite=Strict", "Secure", "Max-Age=604800"):
            assert flag in cookie
        assert "Domain" not in cookie
        assert "rt1." not in response.text
        assert response.headers["cache-control"] == "no-store"

    async def test_the_cookie_has_another_name_over_plain_http(self, make_app: Make) -> None:
        app = make_app(cookie_secure=False)
        person = await sign_up(app, organization=False)

        response = await person.client.post(
            LOGIN, json={"email": person.email, "password": PASSWORD}
        )

        assert response.headers["set-cookie"].startswith("rt=rt1.")
        assert "Secure" not in response.headers["set-cookie"]

    async def test_wrong_passwords_and_unknown_addresses_get_the_same_response(
        self, system: System, ana: Person
    ) -> None:
        same_id = {"x-request-id": "the-same-id"}
        wrong = {"email": ana.email, "password": "wrong-horse"}
        unknown = {"email": f"{unique()}@example.com", "password": PASSWORD}

        first = await ana.client.post(LOGIN, json=wrong, headers=same_id)
        second = await ana.client.post(LOGIN, json=unknown, headers=same_id)

        refused(first, 401, "invalid_credentials")
        assert first.content == second.content
        assert first.headers == second.headers
        await do_errands(system)
        assert "user.login_failed" in await stored_events(system, ana.id)

    async def test_a_wrong_password_does_the_same_work_whether_there_is_an_account(
        self, system: System, ana: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reads = note_reads(monkeypatch, system.log.store)

        work: list[list[str]] = []
        for email in (ana.email, f"{unique()}@example.com"):
            reads.clear()
            wrong = {"email": email, "password": "wrong-horse"}
            refused(await ana.client.post(LOGIN, json=wrong), 401, "invalid_credentials")
            work.append([*reads])

        assert work[0] == work[1]
        assert {"holders", "secrets"} <= set(work[0])

    async def test_login_renews_an_old_hash(self, system: System, app: Litestar) -> None:
        person = await sign_up(app, organization=False)
        old = Passwords(memory_kib=8, iterations=1).hash(PASSWORD)
        await system.log.put_secret(Secret(UUID(person.id), NAME, old.encode()), PLATFORM)

        await log_in(person.client, person.email)

        stored = await system.log.secret(UUID(person.id), PLATFORM, NAME)
        assert stored is not None
        assert b"m=16," in stored

    async def test_login_refuses_a_dry_run(self, ana: Person) -> None:
        body = {"email": ana.email, "password": PASSWORD}

        refused(await ana.client.post(f"{LOGIN}?dry_run=true", json=body), 422, "invalid_request")


class TestAccessToken:
    async def test_an_expired_token_has_its_own_code(
        self, ana: Person, clock: MovableClock
    ) -> None:
        clock.ahead = timedelta(minutes=16)

        refused(await ana.get("/user/me"), 401, "token_expired")

    async def test_every_other_token_failure_gets_the_same_response(self, ana: Person) -> None:
        tokens = ["", "Bearer", "Bearer x", f"Basic {ana.token}", f"Bearer {ana.token}x"]
        tokens += [f"Bearer {ana.token[:-4]}AAAA", "Bearer é", "Bearer " + "a" * 5000]
        answers: list[httpx.Response] = []
        for authorization in tokens:
            headers = {b"authorization": authorization.encode(), b"x-request-id": b"the-same-id"}
            answers.append(await ana.client.get("/api/user/me", headers=headers))

        for answer in answers:
            refused(answer, 401, "unauthorized")
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.content == answers[0].content

    async def test_a_token_in_the_url_is_ignored(self, ana: Person) -> None:
        response = await ana.client.get(f"/api/user/me?access_token={ana.token}")

        refused(response, 401, "unauthorized")

    async def test_the_refresh_cookie_gives_access_to_nothing_else(self, ana: Person) -> None:
        assert ana.client.cookies

        refused(await ana.client.get("/api/user/me"), 401, "unauthorized")


class TestLogOut:
    async def test_logout_ends_access_at_once_and_deletes_the_cookie(self, ana: Person) -> None:
        response = await ana.post("/auth/logout")

        done(response, 204)
        assert "Max-Age=0" in response.headers["set-cookie"]
        refused(await ana.get("/user/me"), 401, "unauthorized")
        refused(await ana.post("/project", {"key": "ENG", "name": "Engine"}), 401, "unauthorized")
        refused(await ana.client.post("/api/auth/refresh-token"), 401, "unauthorized")


class TestChangePassword:
    async def test_a_password_change_ends_every_session_and_starts_a_new_one(
        self, ana: Person
    ) -> None:
        elsewhere = await log_in(ana.client, ana.email)
        body = {"currentPassword": PASSWORD, "newPassword": "quiet-harbour-77-lamp"}

        tokens = done(await ana.post("/auth/change-password", body), 200)

        for old in (ana.token, elsewhere):
            headers = {"authorization": f"Bearer {old}"}
            refused(await ana.client.get("/api/user/me", headers=headers), 401, "unauthorized")
        ana.token = tokens["accessToken"]
        done(await ana.get("/user/me"), 200)
        done(await ana.client.post("/api/auth/refresh-token"), 200)
        await log_in(ana.client, ana.email, "quiet-harbour-77-lamp")

    async def test_a_password_change_needs_the_current_password(
        self, system: System, ana: Person
    ) -> None:
        before = await stored_events(system, ana.id)
        body = {"currentPassword": "wrong", "newPassword": "quiet-harbour-77-lamp"}

        refused(await ana.post("/auth/change-password", body), 401, "wrong_password")

        assert await stored_events(system, ana.id) == before

    async def test_a_password_change_is_not_repeated_by_its_key(self, ana: Person) -> None:
        key = {"idempotency-key": "change-it"}
        there = {"currentPassword": PASSWORD, "newPassword": "quiet-harbour-77-lamp"}
        back = {"currentPassword": "quiet-harbour-77-lamp", "newPassword": PASSWORD}

        changed = await ana.post("/auth/change-password", there, headers=key)
        ana.token = done(changed, 200)["accessToken"]
        reused = await ana.post("/auth/change-password", back, headers=key)
        refused(reused, 422, "idempotency_key_reused")
        done(await ana.post("/auth/change-password", back), 200)
        ana.token = await log_in(ana.client, ana.email)

        again = await ana.post("/auth/change-password", there, headers=key)

        refused(again, 409, "already_done")
        await log_in(ana.client, ana.email)

    async def test_a_password_change_refuses_a_weak_password(self, ana: Person) -> None:
        body = {"currentPassword": PASSWORD, "newPassword": "short"}

        problem = refused(await ana.post("/auth/change-password", body), 422, "weak_password")

        assert problem["errors"][0]["path"] == "$.newPassword"
