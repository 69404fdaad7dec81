"""How many keys an organization can have, and how many requests each can send."""

from typing import Any

from runtime.rate_limit import parse_rate_limits
from tests.api.conftest import Make
from tests.api.keys import ask, change_plan, create
from tests.api.stage import Person, at_once, done, refused, sign_up

CLIENTS = 16
BODY = {"name": "CI", "scopes": {"org": ["read"]}}


async def test_sixteen_clients_never_create_one_key_too_many(ana: Person) -> None:
    answers = await at_once(*(ana.post("/apikey", BODY) for _ in range(CLIENTS)))

    assert sorted(answer.status_code for answer in answers) == [201] * 2 + [402] * (CLIENTS - 2)
    made = done(await ana.get("/apikey"), 200)["items"]
    assert len(made) == 2
    creating = [ana.post("/apikey", BODY) for _ in range(CLIENTS - 1)]
    [revoked, *again] = await at_once(ana.delete(f"/apikey/{made[0]['id']}"), *creating)
    assert revoked.status_code == 204
    assert [answer.status_code for answer in again].count(201) <= 1
    assert len(done(await ana.get("/apikey"), 200)["items"]) <= 2


async def test_a_key_has_the_requests_of_its_plan_and_shares_them_with_nobody(
    make_app: Make,
) -> None:
    app = make_app(rate_limits=parse_rate_limits("key=3/60"))
    ana = await sign_up(app)
    one, two = (await create(ana))["key"], (await create(ana))["key"]
    for left in (2, 1, 0):
        answer = await ask(ana, one, "GET", "/project")
        assert answer.headers["ratelimit-policy"] == '"key";q=3;w=60'
        assert answer.headers["ratelimit"].startswith(f'"key";r={left};')

    late = await ask(ana, one, "GET", "/project")
    refused(late, 429, "rate_limited")
    assert int(late.headers["retry-after"]) > 0
    done(await ask(ana, two, "GET", "/project"), 200)
    done(await ana.get("/project"), 200)
    await change_plan(ana, "BASIC")
    answer = await ask(ana, one, "GET", "/project")
    assert done(answer, 200) is not None
    assert answer.headers["ratelimit-policy"] == '"key";q=30;w=60'
    await ana.client.aclose()


async def test_keys_count_against_the_limit_of_their_organization(make_app: Make) -> None:
    app = make_app(rate_limits=parse_rate_limits("organization=4/60"))
    ana = await sign_up(app)
    key = (await create(ana))["key"]
    answers = [await ask(ana, key, "GET", "/project") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    refused(await ana.get("/project"), 429, "rate_limited")
    await ana.client.aclose()


async def test_a_network_that_guesses_keys_is_slowed_down(make_app: Make, system: Any) -> None:
    app = make_app(rate_limits=parse_rate_limits("guess=3/60"))
    ana = await sign_up(app)
    guesses = [await ask(ana, system.keys.api_keys.new().text, "GET", "/project") for _ in range(5)]

    assert [guess.status_code for guess in guesses] == [401, 401, 401, 429, 429]
    await ana.client.aclose()


async def test_wrong_secrets_of_a_known_key_are_guesses(make_app: Make, system: Any) -> None:
    app = make_app(rate_limits=parse_rate_limits("guess=3/60"))
    ana = await sign_up(app)
    made = await create(ana)
    done(await ask(ana, made["key"], "GET", "/project"), 200)
    key_id = system.keys.api_keys.read(made["key"]).key_id
    wrong = [system.keys.api_keys.new(key_id).text for _ in range(4)]
    guesses = [await ask(ana, key, "GET", "/project") for key in wrong]

    assert [guess.status_code for guess in guesses] == [401, 401, 429, 429]
    done(await ask(ana, made["key"], "GET", "/project"), 200)
    await ana.client.aclose()


async def test_a_known_key_is_no_guess(make_app: Make) -> None:
    app = make_app(rate_limits=parse_rate_limits("guess=1/3600"))
    ana = await sign_up(app)
    key = (await create(ana))["key"]
    answers = [await ask(ana, key, "GET", "/project") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert answers[0].headers.get("ratelimit") is None
    await ana.client.aclose()
