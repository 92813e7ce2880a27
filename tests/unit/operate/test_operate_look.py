"""History, errors and dumps (facts A4, B29 to B32)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from unit.api.service import Answering, Service, page, refusal, reply
from unit.operate.tenant import integration

from cwsync.api import ServiceError
from cwsync.kinds.runs import ActionErrors, Dump, Fate, Progress, Run, RunErrors
from cwsync.operate import read_dumps, read_errors, read_flow, read_history, read_run, what_went_wrong

HISTORY, ERRORS, STATUS = "/integrations/runs/i1", "/integrations/runerror/r1", "/integrations/run/r1"
NO_ERRORS = refusal(404, "Your integration run was successful / no errors")
TWO = (ActionErrors("112", None, ("no",), dump=True), ActionErrors("113", None, ("no",), dump=False))


def history(runs: Sequence[int], total: bool = True, most: int = 250) -> Answering:
    """The history whose runs, in the service's order, have these seconds as id and start."""

    def answer(request: httpx.Request) -> httpx.Response:
        offset, limit = (int(request.url.params[name]) for name in ("offset", "limit"))
        shown: list[dict[str, Any]] = [
            {"id": str(number), "lastRun": number, "success": True, "message": "Success"}
            for number in runs[offset : offset + min(limit, most)]
        ]
        whole = {"integrationId": "i1", "runs": shown} | ({"totalRuns": len(runs)} if total else {})
        return httpx.Response(200, json={"status": {"code": 200}, "history_of_runs": whole})

    return answer


@pytest.mark.parametrize(
    ("answer", "limit", "ids"),
    [
        (history(range(9, 0, -1)), 20, "987654321"),
        (history(range(9, 0, -1)), 3, "987"),
        (history(range(9, 0, -1)), 1, "9"),
        (history(range(9, 0, -1), most=2), 5, "98765"),
        (history(range(9, 0, -1), total=False, most=4), 20, "987654321"),
        (history(range(1, 10)), 20, "987654321"),
        (history(range(1, 10)), 3, "987"),
        (history(range(1, 10)), 1, "9"),
        (history(range(1, 10), most=2), 5, "98765"),
        (history([]), 20, ""),
    ],
)
def test_the_latest_runs_come_first(answer: Answering, limit: int, ids: str) -> None:
    service = Service()
    service.on("GET", HISTORY, answer)
    found = read_history(service.client(), "i1", limit)
    assert "".join(run.id or "?" for run in found.runs) == ids


def test_a_long_history_is_read_by_the_page_and_no_further() -> None:
    service = Service()
    service.on("GET", HISTORY, history(range(1000, 0, -1)))
    found = read_history(service.client(), "i1", 120)
    assert [run.id for run in found.runs] == [str(number) for number in range(1000, 880, -1)]
    assert found.total == 1000
    asked = [(request.url.params["offset"], request.url.params["limit"]) for request in service.requests[1:]]
    assert asked == [("0", "50"), ("50", "50"), ("100", "20")]


def test_a_run_that_begins_meanwhile_is_no_second_row() -> None:
    service = Service()
    service.on("GET", HISTORY, history(range(60, 0, -1), most=50), history(range(61, 0, -1)))
    found = read_history(service.client(), "i1", 60)
    ids = [run.id for run in found.runs]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        (reply(200, {"runs": {}}), 0),
        (reply(200, {"runs": []}), 0),
        (reply(200, {"runs": {"errorMessages": [{"actionId": "1"}]}}), 1),
        (reply(200, {"runs": [{"errorMessages": [{"actionId": "1"}]}]}), 1),
        (NO_ERRORS, 0),
    ],
)
def test_errors_of_a_run(answer: Answering, count: int) -> None:
    service = Service()
    service.on("GET", ERRORS, answer)
    assert len(read_errors(service.client(), "r1")) == count


def test_an_unknown_run_is_an_error() -> None:
    service = Service()
    service.on("GET", ERRORS, refusal(404, "Resource not found"))
    with pytest.raises(ServiceError, match="Resource not found"):
        read_errors(service.client(), "r1")


def dumped(process: object) -> Service:
    service = Service()
    service.on("GET", STATUS, reply(200, {"run": {"id": "r1", "integrationId": "i1", "message": "x"}}))
    service.on("GET", "/integrations/i1", reply(200, {"integration": {"processId": process}}))
    service.on("GET", f"{STATUS}/dumps", lambda _request: httpx.Response(200, text="import"))
    service.on(
        "GET", f"{STATUS}/process/import/112/dumps", lambda _request: httpx.Response(200, text="action")
    )
    return service


def test_a_process_has_a_dump_for_each_action_that_made_one() -> None:
    service = dumped("118000000001")
    assert read_dumps(service.client(), "r1", TWO) == (Dump("r1", "112", "action"),)


def test_an_import_has_one_dump() -> None:
    service = dumped(None)
    assert read_dumps(service.client(), "r1", TWO[:1]) == (Dump("r1", None, "import"),)


def test_an_integration_that_is_gone_is_told_by_its_errors() -> None:
    service = dumped(None)
    service.on("GET", "/integrations/i1", refusal(404, "Resource not found"))
    assert read_dumps(service.client(), "r1", TWO) == (Dump("r1", "112", "action"),)
    assert read_dumps(service.client(), "r1", TWO[:1]) == (Dump("r1", None, "import"),)


def test_no_dump_is_no_error() -> None:
    service = dumped(None)
    service.on("GET", f"{STATUS}/dumps", NO_ERRORS)
    assert read_dumps(service.client(), "r1", ()) == ()


def test_a_dump_that_may_not_be_read_is_an_error() -> None:
    service = dumped(None)
    service.on("GET", f"{STATUS}/dumps", refusal(452, "Tenant not entitled"))
    with pytest.raises(ServiceError, match="Tenant not entitled"):
        read_dumps(service.client(), "r1", ())


def test_errors_that_cannot_be_read_take_nothing_from_the_run() -> None:
    service = Service()
    service.on("GET", ERRORS, refusal(403, "Not Permitted"))
    seen = Progress(Run(Fate.FAILURE, id="r1"))
    (found,) = what_went_wrong(service.client(), integration("i1"), seen)
    assert found.unread is not None
    assert "Not Permitted" in found.unread


def test_a_success_asks_for_no_errors() -> None:
    service = Service()
    assert what_went_wrong(service.client(), integration("i1"), Progress(Run(Fate.SUCCESS, id="r1"))) == ()
    assert service.requests == []


@pytest.mark.parametrize("body", [{}, {"run": {}}, {"run": []}, {"integrationFlow": {"id": "f1"}}])
def test_a_reply_without_its_content_is_an_error(body: dict[str, Any]) -> None:
    service = Service()
    for path in (STATUS, HISTORY, "/integrationflows/f1"):
        service.on("GET", path, reply(200, body))
    for read in (
        lambda: read_run(service.client(), "r1"),
        lambda: read_history(service.client(), "i1", 1),
        lambda: read_flow(service.client(), "f1"),
    ):
        with pytest.raises(ServiceError) as caught:
            read()
        assert caught.value.problem.code == "CW311"


def test_a_path_of_the_proxy_is_not_a_run_without_errors() -> None:
    service = Service()
    service.on("GET", ERRORS, page(404))
    with pytest.raises(ServiceError):
        read_errors(service.client(), "r1")


def test_what_went_wrong_has_the_action() -> None:
    service = Service()
    service.on("GET", ERRORS, reply(200, {"runs": {"errorMessages": [{"actionId": "1"}]}}))
    found = what_went_wrong(service.client(), integration("i1"), Progress(Run(Fate.PARTIAL, id="r1")))
    assert found == (RunErrors("i1", "r1", (ActionErrors("1", None, (), dump=False),)),)
