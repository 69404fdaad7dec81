"""Rate limits: a burst first, then the configured rate; each caller separately."""

import pytest

from api.http import rates
from api.http.rates import Asked, Rate, Rates
from runtime.rate_limit import RateLimit, parse_rate_limits


class Now:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.s = 1_000.0

    def __call__(self) -> float:
        return self.s


class TestRate:
    def test_a_rate_allows_a_burst_and_then_one_request_at_a_time(self) -> None:
        now = Now()
        rate = Rate(RateLimit("login", 5, 60), now)

        assert [rate.take("ana").allowed for _ in range(6)] == [True] * 5 + [False]
        assert rate.take("ana").wait_s == 12
        now.s += 12
        assert rate.take("ana").allowed
        assert not rate.take("ana").allowed

    def test_a_caller_learns_what_remains(self) -> None:
        now = Now()
        rate = Rate(RateLimit("login", 3, 60), now)

        assert [rate.take("ana").remaining for _ in range(4)] == [2, 1, 0, 0]
        now.s += 40
        assert [rate.take("ana").remaining for _ in range(3)] == [1, 0, 0]

    def test_refused_requests_are_not_counted(self) -> None:
        now = Now()
        rate = Rate(RateLimit("login", 1, 10), now)
        rate.take("ana")

        for _ in range(100):
            assert not rate.take("ana").allowed

        now.s += 10
        assert rate.take("ana").allowed

    @pytest.mark.parametrize("count", [1, 2, 3, 10, 100])
    def test_no_period_has_more_failures_than_the_limit_however_they_come(self, count: int) -> None:
        now = Now()
        rate = Rate(RateLimit("failures", count, 86_400), now)
        passed: list[float] = []

        while now.s < 1_000.0 + 3 * 86_400:  # as often as they are allowed
            if rate.take("ana").allowed:
                passed.append(now.s)
            now.s += 60

        for start in passed:
            assert sum(start <= at < start + 86_400 for at in passed) <= count
        assert len(passed) >= 3 * count / 2

    def test_a_burst_and_what_comes_back_meanwhile_is_less_than_twice_the_limit(self) -> None:
        now = Now()
        rate = Rate(RateLimit("api", 7, 10), now)
        passed: list[float] = []

        for _ in range(500):
            if rate.take("ana").allowed:
                passed.append(now.s)
            now.s += 0.37

        spread = 2 * 7  # a burst, and what is paid off meanwhile
        for start in passed:
            assert sum(start <= at < start + 10 for at in passed) <= spread

    def test_each_caller_has_its_own_limit(self) -> None:
        rate = Rate(RateLimit("login", 1, 60), Now())

        assert rate.take("ana").allowed
        assert rate.take("dan").allowed
        assert not rate.take("ana").allowed

    def test_the_number_of_remembered_callers_is_bounded(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rates, "KEYS_MAX", 10)
        rate = Rate(RateLimit("login", 1, 60), Now())

        for caller in range(100):
            assert rate.take(caller).allowed

        assert not rate.take(99).allowed


class TestRates:
    async def test_rates_are_read_from_the_settings(self) -> None:
        configured = Rates(parse_rate_limits("login=1/60, api=2/1"), Now())

        for allowed in (True, False):
            [allowance] = await configured.take(Asked("login", "ana"))
            assert allowance.allowed is allowed
            assert allowance.headers() == [
                (b"ratelimit-policy", b'"login";q=1;w=60'),
                (b"ratelimit", b'"login";r=0;t=60'),
            ]
        assert [await configured.take(Asked("other", "ana")) for _ in range(5)] == [[]] * 5

    async def test_rates_can_be_turned_off(self) -> None:
        off = Rates(parse_rate_limits("off"), Now())

        assert [await off.take(Asked("login", "ana")) for _ in range(100)] == [[]] * 100

    async def test_no_limit_is_counted_after_the_one_that_is_exceeded(self) -> None:
        rates = Rates(parse_rate_limits("login=1/60, api=2/60"), Now())
        both = (Asked("login", "ana"), Asked("api", "ana"))

        taken = [[allowance.allowed for allowance in await rates.take(*both)] for _ in range(3)]

        assert taken == [[True, True], [False], [False]]
        assert (await rates.take(Asked("api", "ana")))[0].allowed
