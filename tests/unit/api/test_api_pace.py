"""The pace of a run: all of a tenant's budget, hardly a refusal, whatever way the service counts."""

from collections.abc import Callable

import httpx
import pytest
from unit.api.limits import Limit, fixed_windows, run, sliding_window, token_bucket
from unit.api.service import Service, refusal, reply

from cwsync.api import Ambiguous
from cwsync.api.pace import Pace

LIMIT = 10
LIMITS: dict[str, Callable[[], Limit]] = {
    "a token bucket of a second's worth": lambda: token_bucket(LIMIT, LIMIT),
    "a small token bucket": lambda: token_bucket(LIMIT, 3),
    "fixed windows": lambda: fixed_windows(LIMIT),
    "fixed windows, begun in the middle of one": lambda: fixed_windows(LIMIT, 0.5),
    "fixed windows, begun at the end of one": lambda: fixed_windows(LIMIT, 0.93),
    "a sliding window": lambda: sliding_window(LIMIT),
}


@pytest.mark.parametrize("jitter", [0.0, 0.005])
@pytest.mark.parametrize("ceiling", [LIMIT, 50.0, 7.0])
@pytest.mark.parametrize("limit", LIMITS)
def test_the_budget_is_used_and_hardly_anything_is_refused(limit: str, ceiling: float, jitter: float) -> None:
    course = run(Pace(ceiling, 0.0), LIMITS[limit](), 2000, jitter=jitter)
    assert len(course.taken) == 2000
    assert course.per_second >= 0.95 * min(LIMIT, ceiling)
    assert course.share_refused <= 0.01


@pytest.mark.parametrize("jitter", [0.002, 0.01])
@pytest.mark.parametrize("limit", [name for name in LIMITS if "small" not in name])
def test_half_a_minute_at_the_limit_costs_no_refusal(limit: str, jitter: float) -> None:
    """One would cost such a run a second and a half. (A small bucket refuses the first ones, which come at once.)"""
    course = run(Pace(LIMIT, 0.0), LIMITS[limit](), 300, jitter=jitter)
    assert course.per_second >= 0.97 * LIMIT
    assert course.refused == []


@pytest.mark.parametrize("limit", LIMITS)
def test_without_a_ceiling_the_budget_is_learned(limit: str) -> None:
    course = run(Pace(None, 0.0), LIMITS[limit](), 5000)
    assert course.per_second >= 0.95 * LIMIT
    assert course.share_refused <= 0.01


@pytest.mark.parametrize("jitter", [0.0, 0.005])
@pytest.mark.parametrize("ceiling", [float(LIMIT), None])
@pytest.mark.parametrize(("rate", "share"), [(1, 0.10), (2, 0.05)])
def test_a_tenant_of_a_small_budget_is_not_asked_on_and_on(
    rate: int, share: float, ceiling: float | None, jitter: float
) -> None:
    seconds = 300
    course = run(Pace(ceiling, 0.0), sliding_window(rate), seconds * rate, jitter=jitter)
    taken = sum(moment < seconds for moment in course.taken)
    refused = sum(moment < seconds for moment in course.refused)
    assert taken >= 0.85 * rate * seconds
    assert refused < share * (taken + refused)


def test_without_a_ceiling_nothing_waits_for_a_service_that_takes_everything() -> None:
    course = run(Pace(None, 0.0), lambda _now: True, 1600)
    assert course.taken[-1] == pytest.approx(1600 / 16 * 0.05)


def test_a_second_s_worth_may_start_at_once_and_then_its_second_must_pass() -> None:
    pace = Pace(10, 0.0)
    course = run(pace, lambda _now: True, 25)
    assert course.started[:11] == pytest.approx([0.0] * 10 + [1.0], rel=0.03)
    assert course.started[10] >= 1.0
    assert course.started[-1] == pytest.approx(2.4, rel=0.03)


def test_no_second_sees_more_than_the_ceiling_whatever_the_idleness_between() -> None:
    pace, now, started = Pace(10, 0.0), 0.0, []
    for gap in [0.0, 0.03, 0.5, 0.004, 1.7, 0.1, 0.25, 5.0, 0.9] * 20:
        now += gap
        for _ in range(7):
            now += pace.wait(now)
            pace.begin(now)
            started.append(now)
    for first, eleventh in zip(started, started[10:], strict=False):
        # A wake-up that is late by milliseconds may bring the next as much nearer.
        assert eleventh - first > 1 - 0.016


def test_a_volley_is_one_refusal() -> None:
    once, volley = Pace(100, 0.0), Pace(100, 0.0)
    for pace, times in ((once, 1), (volley, 16)):
        for number in range(16):
            pace.begin(number / 100)
        for _ in range(times):
            pace.refused(0.5, 0.1)
    assert once.rate == volley.rate < 100
    before = volley.rate
    volley.refused(2.0, 1.0)
    assert volley.rate < before


def test_what_others_leave_of_the_budget_is_found_again() -> None:
    """Somebody else takes half of it, after 200 seconds, for 200 seconds."""
    whole, half = sliding_window(10), sliding_window(5)

    def shared(now: float) -> bool:
        return (half if 200 <= now < 400 else whole)(now)

    course = run(Pace(10, 0.0), shared, 7000)
    assert course.rate_between(10, 200) >= 9.5
    assert course.rate_between(230, 400) >= 0.9 * 5
    assert course.rate_between(600, 800) >= 9.5
    assert course.share_refused <= 0.01


def test_an_overloaded_service_is_spared_and_its_budget_is_not_forgotten() -> None:
    course = run(Pace(10, 0.0), lambda now: not 30 <= now < 50, 1000, status=503)
    while_overloaded = [moment for moment in course.started if 35 <= moment < 50]
    assert len(while_overloaded) < 5 * 15
    assert course.rate_between(75, 95) >= 9.5


def limited(service: Service, limit: Limit) -> Callable[[httpx.Request], httpx.Response]:
    too_many = refusal(429, "Too many requests", {"Retry-After": "1"})

    def answer(request: httpx.Request) -> httpx.Response:
        return (reply() if limit(service.time.now) else too_many)(request)

    return answer


def test_the_client_learns_the_pace_and_tells_what_was_refused() -> None:
    service = Service()
    service.on("GET", "/integrations/1", limited(service, fixed_windows(LIMIT, 0.4)))
    client = service.client(per_second=50)
    for _ in range(2000):
        client.get("/integrations/1")
    stats = client.stats
    assert stats.calls == 2000 + stats.refused == len(service.seen("/integrations"))
    assert 0 < stats.refused <= 20
    assert 2000 / service.time.now >= 9.5
    assert stats.paced + stats.paused == pytest.approx(sum(service.time.slept))
    assert stats.paused == pytest.approx(stats.refused, abs=0.1)


def test_signing_in_counts_on_the_same_budget() -> None:
    service = Service()
    service.on("GET", "/integrations/1", reply())
    client = service.client(per_second=1)
    client.get("/integrations/1")
    assert service.time.now == pytest.approx(1, rel=0.03)


@pytest.mark.parametrize("too_patient", [False, True])
def test_a_mutation_that_met_an_overload_is_ambiguous_and_holds_the_others_back(too_patient: bool) -> None:
    service = Service()
    wait = "600" if too_patient else "30"
    service.on("POST", "/integrations", refusal(503, "Integration trigger error", {"Retry-After": wait}))
    service.on("GET", "/integrations", reply())
    client = service.client(per_second=10)
    with pytest.raises(Ambiguous):
        client.send("POST", "/integrations", {})
    assert (service.time.now, len(service.seen("/integrations"))) == (0, 1)
    client.get("/integrations")
    # Nobody is made to wait for ten minutes without a word.
    assert service.time.now == (0 if too_patient else 30)
    assert (client.stats.refused, client.stats.retries, client.stats.mutations) == (1, 0, 1)


def test_a_503_that_tells_its_cause_says_nothing_of_the_pace() -> None:
    service = Service()
    service.on("POST", "/integrations", refusal(503, "Invalid workspace or model", {"Retry-After": "9"}))
    client = service.client(per_second=10)
    for _ in range(8):
        with pytest.raises(Exception, match="Invalid workspace"):
            client.send("POST", "/integrations", {})
    assert (client.stats.refused, service.time.now) == (0, 0)
