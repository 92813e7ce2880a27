"""Following: integrations and flows that run in time, and services that tell less of a flow than ours does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from unit.api.service import Service, Time, breaks, page, refusal, reply
from unit.emulator import service as emulator
from unit.operate.tenant import Tenant, fates, flow, integration, opened

from cwsync.errors import CwsyncError
from cwsync.kinds.runs import Fate, Progress, StepRun
from cwsync.operate import (
    FlowWatch,
    begin,
    cancel,
    follow,
    look_at_run,
    read_dumps,
    read_errors,
    read_flow,
    read_history,
)
from cwsync.operate.follow import LONGEST_PAUSE_SECONDS, PATIENCE_SECONDS, QUEUE_SECONDS, verdict

STATUS, FLOW = "/integrations/run/r1", "/integrationflows/f1"
ENDED = {"startDate": "2020-09-29T04:05:20.000Z", "endDate": "2020-09-29T04:05:25.000Z"}
SUCCESS = {**ENDED, "success": True, "message": "Success"}
RUNNING = {"startDate": "2020-09-29T04:05:20.000Z", "success": False, "message": "Running"}
EARLIER = {"startDate": "2020-09-28T04:05:20.000Z", "endDate": "2020-09-28T04:06:00.000Z", "success": True}


@pytest.fixture(params=["observed", "documented"])
def tenant(request: pytest.FixtureRequest) -> Iterator[Tenant]:
    with opened(profile=request.param) as tenant:
        yield tenant


@pytest.mark.parametrize(
    ("outcome", "fate", "code"),
    [
        ("success", Fate.SUCCESS, None),
        ("partial_success", Fate.PARTIAL, 38),
        ("failure", Fate.FAILURE, 12),
    ],
)
def test_an_integration_to_its_end(tenant: Tenant, outcome: str, fate: Fate, code: int | None) -> None:
    id = tenant.integration()
    tenant.outcome(id, outcome, seconds=100)
    told = tenant.follow(integration(id))
    assert [seen.run.fate for seen in told] == [Fate.RUNNING, fate]
    assert told[-1].run.code == code
    assert told[-1].run.seconds == 100


def test_what_came_of_it_is_the_same_in_both_profiles(tenant: Tenant) -> None:
    """`lastRun` is a number or a text, errors are an object or a list (facts B29, B30)."""
    id = tenant.integration()
    tenant.outcome(id, "failure", seconds=7, message="2 rows failed", dump="a,b")
    for _ in range(2):
        run = tenant.follow(integration(id))[-1].run
    history = read_history(tenant.client, id, 10)
    assert [(one.fate, one.seconds, one.code) for one in history.runs] == [(Fate.FAILURE, 7, 12)] * 2
    assert history.runs[0].id == run.id
    assert history.runs[0].started == run.started
    assert run.id is not None
    (action,) = read_errors(tenant.client, run.id)
    assert (action.action, action.messages, action.dump) == ("118000000001", ("2 rows failed",), True)
    assert [dump.text for dump in read_dumps(tenant.client, run.id, [action])] == ["a,b"]


def test_the_pauses_grow_and_have_a_bound(tenant: Tenant) -> None:
    id = tenant.integration()
    tenant.outcome(id, seconds=100)
    tenant.follow(integration(id))
    assert tenant.waited[0] == 0.5
    assert tenant.waited == sorted(tenant.waited)
    assert tenant.waited[-1] == LONGEST_PAUSE_SECONDS


def test_a_run_that_somebody_cancels(tenant: Tenant) -> None:
    id = tenant.integration()

    def cancels(seconds: float) -> None:
        cancel(tenant.client, integration(id))
        tenant.clock.now += seconds

    run = begin(tenant.client, integration(id))
    seen = follow(lambda: look_at_run(tenant.client, run), integration(id), cancels, lambda _seen: None)
    assert seen.run.fate is Fate.CANCELLED


def chain(tenant: Tenant, *outcomes: str, **behavior: str) -> str:
    """A flow of so many steps, one after the other; `failure` and `partial_success` say what all of them do."""
    ids = [tenant.integration(f"step {number}") for number in range(len(outcomes))]
    for id, outcome in zip(ids, outcomes, strict=True):
        tenant.outcome(id, outcome)
    body = emulator.flow("Nightly", *ids)
    for step in body["steps"]:
        step["exceptionBehavior"] = [
            {"type": kind, "strategy": behavior.get(kind, default)}
            for kind, default in (("failure", "stop"), ("partial_success", "continue"))
        ]
    created = tenant.ok("POST", "/integrationflows", body)
    return str(created["integrationFlow"]["integrationFlowId"])


S, P, F, N = Fate.SUCCESS, Fate.PARTIAL, Fate.FAILURE, Fate.NOT_RUN


@pytest.mark.parametrize(
    ("outcomes", "behavior", "ends", "fate"),
    [
        (("success", "success"), {}, [S, S], S),
        (("success", "partial_success", "success"), {}, [S, P, S], P),
        (("partial_success", "success"), {"partial_success": "stop"}, [P, N], P),
        (("success", "failure", "success"), {}, [S, F, N], F),
        (("failure", "success"), {"failure": "continue"}, [F, S], P),
        (("failure", "failure"), {"failure": "continue"}, [F, F], F),
    ],
)
def test_a_flow_to_its_end(
    tenant: Tenant, outcomes: tuple[str, ...], behavior: dict[str, str], ends: list[Fate], fate: Fate
) -> None:
    told = tenant.follow(flow(chain(tenant, *outcomes, **behavior)))
    assert (fates(told[-1]), told[-1].run.fate) == (ends, fate)
    assert told[0].run.fate is Fate.RUNNING
    assert fates(told[0]) == [Fate.RUNNING, *[Fate.WAITING] * (len(outcomes) - 1)]


def test_a_flow_resumed_from_a_step(tenant: Tenant) -> None:
    id = chain(tenant, "success", "failure", "success")
    ids = [step.id for step in read_flow(tenant.client, id).steps]
    tenant.follow(flow(id))
    tenant.outcome(ids[1], "success")
    told = tenant.follow(flow(id), ids[1], ids[2])
    assert (fates(told[-1]), told[-1].run.fate) == ([N, S, S], S)
    assert not any(seen.steps[0].run for seen in told)


def test_a_skipped_step_stays_skipped(tenant: Tenant) -> None:
    ids = [tenant.integration(f"step {number}") for number in range(3)]
    body = emulator.flow("Nightly", *ids)
    body["steps"][1]["isSkipped"] = True
    id = tenant.ok("POST", "/integrationflows", body)["integrationFlow"]["integrationFlowId"]
    assert fates(tenant.follow(flow(id))[-1]) == [S, Fate.SKIPPED, S]


def step(id: str, latest: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"referrer": id, "name": id, "isSkipped": False, "latestRun": latest or {}, **more}


def detail(*steps: dict[str, Any], latest: dict[str, Any] | None = None) -> Callable[..., httpx.Response]:
    return reply(200, {"integrationFlow": {"id": "f1", "name": "F", "steps": steps, "latestRun": latest}})


def watched(service: Service, *wanted: str) -> list[Progress]:
    """What is told of the run r1 of the flow f1; the service's first answer is from before it."""
    told: list[Progress] = []
    client = service.client()
    watch = FlowWatch(client, read_flow(client, "f1"), "r1", wanted)
    follow(watch.look, flow("f1"), service.time.sleep, told.append)
    return told


UNKNOWN_RUN = refusal(404, "Resource not found")


def test_a_flow_that_shows_its_run_without_an_id() -> None:
    """As on the vendor's page: an earlier run is told from this one by its dates (facts A6)."""
    service = Service()
    service.on("GET", STATUS, UNKNOWN_RUN)
    service.on(
        "GET", FLOW,
        detail(step("a", EARLIER), step("b", EARLIER), latest=EARLIER),
        detail(step("a", EARLIER), step("b", EARLIER), latest=EARLIER),
        detail(step("a", RUNNING), step("b", EARLIER), latest=RUNNING),
        detail(step("a", SUCCESS), step("b", SUCCESS), latest=SUCCESS),
    )  # fmt: skip
    told = watched(service)
    assert [fates(seen) for seen in told] == [[Fate.WAITING] * 2, [Fate.RUNNING, Fate.WAITING], [S, S]]
    assert (told[-1].run.fate, told[-1].run.id) == (S, "r1")
    assert service.seen(STATUS) == [f"GET {STATUS}"]  # once is enough to know


def test_a_flow_that_says_nothing_of_itself_is_told_by_its_steps() -> None:
    service = Service()
    service.on("GET", STATUS, page(404))
    service.on(
        "GET", FLOW,
        detail(step("a"), step("b"), step("c")),
        detail(step("a", RUNNING), step("b"), step("c")),
        detail(step("a", SUCCESS), step("b"), step("c")),
        detail(step("a", SUCCESS), step("b", RUNNING), step("c")),
        detail(step("a", SUCCESS), step("b", {**SUCCESS, "success": False, "message": "No"}), step("c")),
    )  # fmt: skip
    told = watched(service)
    assert [seen.run.fate for seen in told] == [Fate.RUNNING] * 3 + [F]
    assert fates(told[-1]) == [S, F, N]


def test_a_flow_whose_run_can_be_asked_for_but_is_not_in_its_detail() -> None:
    service = Service()
    service.on("GET", STATUS, reply(200, {"run": RUNNING}), reply(200, {"run": SUCCESS}))
    service.on(
        "GET", FLOW,
        detail(step("a"), step("b")),
        detail(step("a", RUNNING), step("b")),
        detail(step("a", SUCCESS), step("b", RUNNING)),  # and by the time of the status it was over
        detail(step("a", SUCCESS), step("b", SUCCESS)),
    )  # fmt: skip
    told = watched(service)
    assert (fates(told[-1]), told[-1].run.fate) == ([S, S], S)


def test_another_run_in_the_detail_is_not_this_one() -> None:
    service = Service()
    service.on("GET", STATUS, reply(200, {"run": SUCCESS}))
    other = {**RUNNING, "id": "r9"}
    service.on("GET", FLOW, detail(step("a")), detail(step("a", SUCCESS), latest=other))
    assert watched(service)[-1].run.fate is S


def test_the_flows_own_word_counts_where_its_steps_say_nothing() -> None:
    service = Service()
    service.on("GET", STATUS, reply(200, {"run": {**ENDED, "success": False, "message": "Cancelled"}}))
    service.on("GET", FLOW, detail(step("a")), detail(step("a", SUCCESS)))
    assert watched(service)[-1].run.fate is Fate.CANCELLED


@pytest.mark.parametrize(
    ("own", "steps", "fate"),
    [
        (S, [(S, False), (F, True)], F),
        (S, [(S, False), (F, False)], P),
        (F, [(S, False), (F, False)], P),
        (F, [(S, False), (S, False)], F),
        (F, [(S, False), (P, False)], P),
        (S, [(Fate.CANCELLED, True), (N, False)], F),
        (Fate.CANCELLED, [(S, False), (P, False)], Fate.CANCELLED),
        (Fate.RUNNING, [(F, True)], Fate.RUNNING),
        (F, [(Fate.SKIPPED, False), (F, False)], F),
    ],
)
def test_what_a_flow_comes_to(own: Fate, steps: list[tuple[Fate, bool]], fate: Fate) -> None:
    assert (
        verdict(own, [StepRun(str(at), "", one, stops=stops) for at, (one, stops) in enumerate(steps)])
        is fate
    )


def followed(service: Service, time: Time) -> Progress:
    client = service.client()
    return follow(lambda: look_at_run(client, "r1"), integration("i1"), time.sleep, lambda _seen: None)


def test_reads_that_fail_for_a_while_do_not_end_it() -> None:
    service, waiting = Service(), Time()
    broken = [breaks(httpx.ReadError)] * 12
    service.on("GET", STATUS, reply(200, {"run": RUNNING}), *broken, reply(200, {"run": SUCCESS}))
    assert followed(service, waiting).run.fate is S


def test_a_queued_run_may_be_unknown_for_minutes() -> None:
    service, waiting = Service(), Time()
    service.on("GET", STATUS, *[UNKNOWN_RUN] * 60, reply(200, {"run": SUCCESS}))
    assert followed(service, waiting).run.fate is S
    assert waiting.now > PATIENCE_SECONDS


@pytest.mark.parametrize(
    ("answer", "code", "least", "most"),
    [
        (refusal(500, "Something exact"), "CW310", PATIENCE_SECONDS / 2, PATIENCE_SECONDS),
        (UNKNOWN_RUN, "CW304", QUEUE_SECONDS / 2, QUEUE_SECONDS),
        (refusal(403, "Not Permitted"), "CW303", 0, 0),
    ],
)
def test_it_is_given_up_with_a_word_on_the_run(answer: Any, code: str, least: float, most: float) -> None:
    service, waiting = Service(), Time()
    service.on("GET", STATUS, answer)
    with pytest.raises(CwsyncError, match="cannot be followed any longer") as caught:
        followed(service, waiting)
    (problem,) = caught.value.problems
    assert problem.code == code
    assert problem.hint is not None
    assert "goes on in CloudWorks" in problem.hint
    assert least <= waiting.now <= most
