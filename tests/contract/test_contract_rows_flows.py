"""The rows of section B on flows, runs and refusals, and version 1.0; see test_contract_rows.py."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from contract.scene import (
    CHANGED,
    EVERYTHING,
    PROFILES,
    Exchange,
    Json,
    Scene,
    Wire,
    every,
    respelled,
    scene,
)

FLOWS = "/integrationflows"
ONE = {"integrations": {"tidy": {"processId": 118000000002}}}
TWO = {"integrations": {**ONE["integrations"], "close": {"processId": 118000000001}}}


def steps(told: Scene) -> list[list[Json]]:
    bodies = told.bodies("POST", FLOWS) + told.bodies("PUT", f"{FLOWS}/{{id}}")
    return [body["steps"] for body in bodies]


def shown_steps(change: Any) -> Any:
    """Each step of a flow that is read, changed."""
    return lambda each: (
        every(each.reply, lambda item: change(item) if "referrer" in item else item)
        if each.method == "GET"
        else each.reply
    )


def test_row_11_partial_success_in_both_spellings(stories: dict[str, Scene], tmp_path: Path) -> None:
    for told in stories.values():
        sent = [entry["type"] for flow in steps(told) for step in flow for entry in step["exceptionBehavior"]]
        assert {*sent} == {"failure", "partial_success"}
    respelled(
        tmp_path,
        stories,
        shown_steps(lambda step: json.loads(re.sub("partial_success?", _other_word, json.dumps(step)))),
    )


def _other_word(found: re.Match[str]) -> str:
    return "partial_succes" if found[0] == "partial_success" else "partial_success"


def test_row_12_both_behaviours_are_sent_and_one_may_be_missing(
    stories: dict[str, Scene], tmp_path: Path
) -> None:
    defaults = {("failure", "stop"), ("partial_success", "continue")}
    for told in stories.values():
        assert {len(step["exceptionBehavior"]) for flow in steps(told) for step in flow} == {2}

    def leave_out(step: Json) -> Json:
        said = [
            each for each in step["exceptionBehavior"] if (each["type"], each["strategy"]) not in defaults
        ]
        return step | {"exceptionBehavior": said}

    respelled(tmp_path, stories, shown_steps(leave_out))


@pytest.mark.parametrize("profile", PROFILES)
def test_row_13_a_steps_type_is_written_as_integration(stories: dict[str, Scene], profile: str) -> None:
    told = stories[profile]
    assert {step["type"] for flow in steps(told) for step in flow} == {"Integration"}
    read = [each.reply["integrationFlow"]["steps"] for each in told.sent("GET", f"{FLOWS}/{{id}}")]
    assert {"Import", "Export", "Process"} == {step["type"] for flow in read for step in flow}


def test_row_14_what_the_first_step_waits_for(stories: dict[str, Scene], tmp_path: Path) -> None:
    for told in stories.values():
        for first, second, *_ in steps(told):
            assert "dependsOn" not in first
            assert second["dependsOn"] == [first["referrer"]]

    def null_or_absent(step: Json) -> Json:
        first = {key: step[key] for key in step if key != "dependsOn"}
        if step.get("dependsOn"):
            return step
        return first if "dependsOn" in step else {**first, "dependsOn": None}

    respelled(tmp_path, stories, shown_steps(null_or_absent))


def test_row_15_skipped_is_a_boolean_or_its_text(stories: dict[str, Scene], tmp_path: Path) -> None:
    for told in stories.values():
        assert [step["isSkipped"] for step in steps(told)[0]] == [False, False, True]
    respelled(
        tmp_path, stories, shown_steps(lambda step: step | {"isSkipped": str(step["isSkipped"]).lower()})
    )


def test_row_16_either_key_of_a_flows_id(stories: dict[str, Scene], tmp_path: Path) -> None:
    """The lists keep `id`, in which all sources agree."""

    def other(each: Exchange) -> Json:
        if (each.method, each.path) == ("POST", FLOWS):
            return each.reply | {
                "integrationFlow": {"id": each.reply["integrationFlow"]["integrationFlowId"]}
            }
        if each.method == "GET" and "integrationFlow" in each.reply:
            each.reply["integrationFlow"]["integrationFlowId"] = each.reply["integrationFlow"].pop("id")
        return each.reply

    respelled(tmp_path, stories, other)


def test_row_17_the_dates_of_steps_mean_nothing(stories: dict[str, Scene], tmp_path: Path) -> None:
    respelled(tmp_path, stories, shown_steps(lambda step: step | {"createdDate": "?", "modifiedDate": None}))


def test_row_28_never_run_in_all_its_forms(stories: dict[str, Scene], tmp_path: Path) -> None:
    def other(item: Json) -> Json:
        """Null for what is absent or {} in one profile and in the other; {} for flows."""
        if "name" not in item or "creationDate" not in item:
            return item
        return item | {"latestRun": {} if "stepsCount" in item or "steps" in item else None}

    respelled(tmp_path, stories, lambda each: every(each.reply, other))


def test_row_29_to_31_runs_their_errors_and_their_dumps(tmp_path: Path) -> None:
    """Errors as an array and as an object, `lastRun` as a text and as seconds; the dumps are at /dumps."""
    said = {}
    for profile in PROFILES:
        with scene(profile, tmp_path, clock=lambda: 1_795_435_200.0) as told:
            told.settle({key: EVERYTHING[key] for key in ("connections", "integrations")})
            runs = []
            for outcome in ("success", "failure", "partial_success"):
                how = {
                    "outcome": outcome,
                    "seconds": 0,
                    "dump": "a,b\n1,2\n" if outcome != "success" else None,
                }
                told.tenant.edit("update", "outcome", name="Accounts import", body=how)
                runs.append(told.json("run", "integration.accounts")["run"]["id"])
            names = {run: f"<run {number}>" for number, run in enumerate(runs)}
            texts = [told.ok("history", "integration.accounts").out]
            for run in runs:
                texts += [told.ok("logs", run).out, told.ok("logs", run, "--dump").out]
            text = "\n".join(texts)
            for run, name in names.items():
                text = text.replace(run, name)
            # The page shows no triggerSource, and columns are as wide as what they hold.
            said[profile] = [line.replace("(manual)", "").split() for line in text.splitlines()]
            asked = [each.path for each in told.wire.exchanges if "/dump" in each.path]
            assert asked
            assert all(path.endswith("/dumps") for path in asked)
    assert said["observed"] == said["documented"]
    assert ["1,2"] in said["observed"]


def test_row_30_either_form_of_the_last_run(tmp_path: Path) -> None:
    for profile in PROFILES:
        told_as = []
        for form in (1_795_435_200, "2026-11-23T12:00:00.000Z"):

            def last(each: Exchange, form: Any = form) -> Json:
                return every(each.reply, lambda item: item | ({"lastRun": form} if "lastRun" in item else {}))

            with scene(
                profile, tmp_path / f"{form}", Wire(answer=last), clock=lambda: 1_795_435_200.0
            ) as told:
                told.settle(ONE)
                told.tenant.edit("update", "outcome", name="tidy", body={"seconds": 0})
                run = told.json("run", "integration.tidy")["run"]["id"]
                told_as.append(told.ok("history", "integration.tidy").out.replace(run, "<run>"))
        assert told_as[0] == told_as[1]


def test_row_37_a_name_that_is_taken_meanwhile(tmp_path: Path) -> None:
    """Refused with 400 here, 500 there, and 409 perhaps; the message says what it is."""
    ends = []
    for profile in PROFILES:
        for status in (None, 409):
            taken: list[str] = []
            wire = Wire(ask=lambda method, path, sent: ask(method, path))
            with scene(profile, tmp_path / f"{status}", wire) as told:

                def ask(
                    method: str,
                    path: str,
                    told: Scene = told,
                    status: int | None = status,
                    taken: list[str] = taken,
                ) -> tuple[int, str] | None:
                    if (method, path) != ("POST", "/integrations"):
                        return None
                    if not taken:
                        body = {"name": "tidy", "processId": "7", "version": "2.0"}
                        taken.append(told.tenant.edit("create", "integration", body=body))
                    return (status, "Duplicate resource name not allowed") if status else None

                told.write(ONE)
                ran = told.project.run("apply", "--auto-approve")
                known = told.resources()
                ends.append((ran.status, told.tenant.names("integrations"), known, "CW" in ran.all))
    assert ends == [(5, ["tidy"], {}, True)] * 4
    assert ends[0][0] != 0


def test_row_38_what_runs_is_not_deleted(tmp_path: Path) -> None:
    ends = []
    for profile in PROFILES:
        with scene(profile, tmp_path) as told:
            told.settle(TWO)
            told.tenant.edit("update", "outcome", name="close", body={"seconds": 600})
            told.ok("run", "integration.close")
            told.write(ONE)
            ran = told.project.run("apply", "--auto-approve")
            ends.append(
                (ran.status, "CW306" in ran.all, told.tenant.names("integrations"), sorted(told.resources()))
            )
    assert ends[0] == ends[1]
    assert ends[0][1:] == (True, ["close", "tidy"], ["integration.close", "integration.tidy"])
    assert ends[0][0] in {1, 6}


def test_row_39_a_token_that_is_no_longer_good(tmp_path: Path) -> None:
    """401 here, 403 there; between two calls of an apply, which nobody notices."""
    outcomes = []
    for profile in PROFILES:
        now, posts = [1_795_435_200.0], [0]

        def expire(
            method: str, _path: str, _sent: Json, now: list[float] = now, posts: list[int] = posts
        ) -> None:
            posts[0] += method == "POST"
            if posts[0] == 2 and method == "POST":
                now[0] += 3000

        with scene(profile, tmp_path, Wire(ask=expire), clock=lambda now=now: now[0]) as told:
            told.settle(EVERYTHING)
            refused = [each.status for each in told.wire.exchanges if each.status != 200]
            assert refused
            assert {*refused} == {401 if profile == "observed" else 403}
            outcomes.append(told.outcomes)
    assert outcomes[0] == outcomes[1]


def test_row_39_what_a_user_may_not(tmp_path: Path) -> None:
    """403 in two wordings, and 452; all mean the same, and nothing is tried again with a new token."""
    ends = []
    for profile in PROFILES:

        def deny(_method: str, path: str, _sent: Json, profile: str = profile) -> tuple[int, str] | None:
            observed = profile == "observed"
            denied = (452, "Tenant not entitled") if observed else (403, "Not Authorized")
            return denied if path.endswith("/schedule") else None

        with scene(profile, tmp_path, Wire(ask=deny)) as told:
            told.write({**ONE, "schedules": {"tidy": EVERYTHING["schedules"]["tidy"]}})
            ran = told.project.run("apply", "--auto-approve")
            ends.append((ran.status, "CW303" in ran.all, sorted(told.resources())))
            told.tenant.edit("update", "user", name="ci@example.com", body={"role": "none"})
            assert "(status 403)" in told.ok("plan", status=1).all
            signed_in = [
                each["path"] for each in told.tenant.requests() if each["path"] == "/token/authenticate"
            ]
            assert len(signed_in) == 2
    assert ends == [(6, True, ["integration.tidy"])] * 2


def test_row_42_any_reply_to_a_cancel(tmp_path: Path) -> None:
    said = []
    for profile in PROFILES:
        with scene(profile, tmp_path) as told:
            told.settle(ONE)
            told.tenant.edit("update", "outcome", name="tidy", body={"seconds": 600})
            told.ok("run", "integration.tidy")
            said.append(told.ok("cancel", "integration.tidy").out)
            said.append(told.ok("cancel", "integration.tidy", status=1).out)
    assert said[:2] == said[2:]


@pytest.mark.parametrize("profile", PROFILES)
def test_row_46_a_flow_is_read_by_its_id(stories: dict[str, Scene], profile: str, tmp_path: Path) -> None:
    read = stories[profile].sent("GET", f"{FLOWS}/{{id}}")
    assert {each.status for each in read} == {200}
    with scene(profile, tmp_path) as told:
        told.settle(EVERYTHING)
        body = {
            "steps": [{"referrer": each["integrationId"]} for each in told.tenant.snapshot()["integrations"]]
        }
        told.tenant.edit("update", "flow", name="Nightly load", body=body)
        drifted = told.json("drift", status=2)["drifted"]
        assert [each["address"] for each in drifted] == ["flow.nightly"]
        told.settle(CHANGED)
