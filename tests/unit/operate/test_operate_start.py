"""Run and cancel: what is sent, once, and what each answer means (facts A2, A6, B38, B42)."""

from __future__ import annotations

import json

import httpx
import pytest
from unit.api.service import Answering, Service, breaks, page, refusal, reply
from unit.operate.tenant import flow, integration

from cwsync.errors import CwsyncError
from cwsync.operate import begin, cancel

RUN, FLOW_RUN, CANCEL = "/integrations/i1/run", "/integrationflows/f1/run", "/integrations/i1/cancel"
STARTED = reply(200, {"status": {"code": 200, "message": "Success"}, "run": {"id": "r1"}})


def test_an_integration_is_run_with_an_empty_body() -> None:
    service = Service()
    service.on("POST", RUN, STARTED)
    assert begin(service.client(), integration("i1")) == "r1"
    assert service.requests[-1].content == b""


def test_a_flow_is_run_whole_or_in_part() -> None:
    service = Service()
    service.on("POST", FLOW_RUN, STARTED)
    begin(service.client(), flow("f1"))
    assert service.requests[-1].content == b""
    begin(service.client(), flow("f1"), ("b", "c"))
    assert json.loads(service.requests[-1].content) == {"stepsToRun": ["b", "c"]}


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        (refusal(409, "Integration is already running"), "CW306", "integration.accounts is running already"),
        (breaks(httpx.ReadTimeout), "CW313", "not known whether the run was started"),
        (breaks(httpx.RemoteProtocolError), "CW313", "not known whether the run was started"),
        (refusal(503, "Integration trigger error"), "CW310", "not known whether the run was started"),
        (page(502), "CW310", "not known whether the run was started"),
        (page(200), "CW311", "not known whether the run was started"),
        (reply(200), "CW311", "no id of a run"),
        (refusal(404, "Resource not found"), "CW304", "Resource not found"),
        (refusal(500, "Model Not Found Error"), "CW304", "Model Not Found Error"),
    ],
)
def test_what_does_not_start_for_certain_is_sent_once(answer: Answering, code: str, says: str) -> None:
    service = Service()
    service.on("POST", RUN, answer)
    with pytest.raises(CwsyncError, match=says) as caught:
        begin(service.client(), integration("i1"))
    (problem,) = caught.value.problems
    assert problem.code == code
    assert service.seen(RUN) == [f"POST {RUN}"]
    if "not known" in says or "no id" in says:
        assert "cwsync history integration.accounts" in (problem.hint or "")


def test_a_flow_that_is_busy() -> None:
    service = Service()
    service.on("POST", FLOW_RUN, refusal(409, "Integration is already running"))
    with pytest.raises(CwsyncError, match=r"flow\.nightly or one of its steps is running already") as caught:
        begin(service.client(), flow("f1"))
    assert caught.value.problems[0].code == "CW306"


@pytest.mark.parametrize(
    "answer",
    [
        reply(),
        reply(200, {"success": True, "message": {"integration_id": "i1", "state": "cancelled"}}),
        lambda _request: httpx.Response(204),
        lambda _request: httpx.Response(202, content=b""),
        lambda _request: httpx.Response(200, content=b"cancelled"),
    ],
)
def test_any_success_is_a_cancelled_run(answer: Answering) -> None:
    service = Service()
    service.on("POST", CANCEL, answer)
    cancel(service.client(), integration("i1"))
    assert service.seen(CANCEL) == [f"POST {CANCEL}"]


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        (refusal(409, "Integration i1 is not in running state"), "CW305", "is not running: there is nothing"),
        (refusal(404, "Resource not found"), "CW304", "one that is queued cannot be yet"),
        (breaks(httpx.ReadTimeout), "CW313", "not known whether the run was cancelled"),
        (page(502), "CW310", "not known whether the run was cancelled"),
        (reply(200, {"status": {"code": 500, "message": "no"}}), "CW311", "not known whether"),
        (refusal(403, "Not Permitted"), "CW303", "Not Permitted"),
    ],
)
def test_what_is_not_cancelled(answer: Answering, code: str, says: str) -> None:
    service = Service()
    service.on("POST", CANCEL, answer)
    with pytest.raises(CwsyncError, match=says) as caught:
        cancel(service.client(), integration("i1"))
    assert caught.value.problems[0].code == code
    assert service.seen(CANCEL) == [f"POST {CANCEL}"]
