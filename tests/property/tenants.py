"""Random tenants as people leave them: names beyond all rules, things that point nowhere, forms nobody knows.

A tenant is drawn as values, in which connections and integrations are referred to by number, and then made by
edits, as in the web interface: the service itself would refuse much of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from property.worlds import GUID, MODEL, USERS, WORKSPACE, Json
from support.tenant import Tenant

OTHER_MODEL = "7C1F90B2A3D64E5F8091A2B3C4D5E6F7"
_NAMES = (
    *("Sales", "sales", "Sales S3", "Sales-S3", "sales_s3", "Sales-2", "connection-2", "integration-1"),
    *("null", "~", "yes", "on", "12:45", "2030-01-07", "007", "1e5", "0x1F", "-1", ".5", "<<", "=", "NaN"),
    *(
        "a: b",
        "x #c",
        "'q'",
        '"',
        "${var.x}",
        "$${y}",
        "${",
        "- x",
        "---",
        "{a}",
        "[a]",
        "&a",
        "*a",
        "!t",
        "%x",
    ),
    *("@x", "`x`", "|", ">", "?", "a,b", " lead", "trail ", "tab\there", "new\nline", "\x1b[2J", "\x7f"),
    *("é", "e\u0301", "販売", "\u202eabc", "\u2028", "\ufeffx", "\U0001f600", "İ", "ß", "SS", "ss"),
    *("../../etc/passwd", "/abs", "a\\b", "CON", "x" * 60, "x" * 61, "y" * 900),
)
_texts = st.one_of(
    st.sampled_from(_NAMES),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1),
)
texts = _texts.filter(lambda text: bool(text.strip()))
_words = st.sampled_from(("Sales", "Stock 2", "Prices_a", "Close-b", "Lake", "Nightly"))
_plain = st.tuples(_words, st.integers(1, 99)).map(lambda pair: f"{pair[0]} {pair[1]}")
names = st.one_of(_plain, _plain, texts)
_strange = st.one_of(
    st.none(), st.integers(), st.booleans(), texts, st.just([]), st.just({"a": "b"}), st.just([1, "x"])
)


@dataclass(frozen=True)
class Drawn:
    """What is made, in this order. Numbers are indices; those beyond the end point nowhere."""

    connections: Sequence[Json]
    integrations: Sequence[Json]
    schedules: Mapping[int, Json]
    notifications: Mapping[int, Json | None]
    flows: Sequence[Json]
    gone: Sequence[tuple[str, int]]


@st.composite
def tenants(draw: st.DrawFn) -> Drawn:
    """Up to four of each kind, most of them as usual and some of them odd."""
    connections = draw(st.lists(_connections(), max_size=4))
    integrations = draw(st.lists(_integrations([one["type"] for one in connections]), max_size=4))
    numbers = st.sampled_from(range(len(integrations))) if integrations else st.nothing()
    gone = [("connection", index) for index in range(len(connections))]
    gone += [("integration", index) for index in range(len(integrations))]
    gone += [("notification", index) for index in range(len(integrations))]
    return Drawn(
        connections,
        integrations,
        draw(st.dictionaries(numbers, _schedules())) if integrations else {},
        draw(st.dictionaries(numbers, _notifications())) if integrations else {},
        draw(st.lists(_flows(len(integrations)), max_size=2)) if integrations else [],
        draw(_seldom(st.just([]), st.lists(st.sampled_from(gone), unique=True, max_size=2))) if gone else [],
    )


def _seldom(usual: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    # Not the ends of the range, which are drawn more often than the rest.
    return st.integers(0, 29).flatmap(lambda dice: odd if dice == 17 else usual)


@st.composite
def _connections(draw: st.DrawFn) -> Json:
    usual = st.sampled_from(("AmazonS3", "GoogleBigQuery", "AzureBlob"))
    kind = draw(_seldom(usual, st.just("SFTP")))
    text = _seldom(st.just("landing"), texts)
    settings = {
        "AmazonS3": ("bucketName",),
        "GoogleBigQuery": ("dataset",),
        "AzureBlob": ("storageAccountName", "containerName"),
        "SFTP": ("host",),
    }
    body: Json = {setting: draw(_seldom(text, _strange)) for setting in settings[kind]}
    body["name"] = draw(names)
    if kind == "AzureBlob":
        body["authMethod"] = draw(
            _seldom(st.just("SAS-based"), st.sampled_from(("OAuth", "Managed identity")))
        )
    if draw(st.booleans()):
        body["workspaceId"] = draw(_seldom(st.just(WORKSPACE), texts))
    return {"type": kind, "body": body}


@st.composite
def _integrations(draw: st.DrawFn, connections: Sequence[str]) -> Json:
    first = draw(_seldom(_seldom(st.just(False), st.just(True)), st.just(True)))
    place = {
        "workspaceId": draw(_seldom(st.just(WORKSPACE), texts)),
        "modelId": draw(_seldom(st.sampled_from((MODEL, OTHER_MODEL)), st.one_of(texts, st.just("m" * 900)))),
    }
    made: Json = {
        "name": draw(names),
        "version": "1.0" if first else "2.0",
        "nuxVisible": draw(st.booleans()),
    }
    process = not connections or draw(st.booleans())
    if process:
        made["processId"] = draw(_seldom(st.just("118000000001"), texts))
    sizes = {"max_size": 2} if process else {"min_size": 1, "max_size": draw(_seldom(st.just(1), st.just(2)))}
    jobs = draw(st.lists(_jobs(connections, place if first else {}), **sizes))
    return {**made, **({} if first and jobs else place), **({"jobs": jobs} if jobs or not process else {})}


@st.composite
def _jobs(draw: st.DrawFn, connections: Sequence[str], place: Json) -> Json:
    # One beyond the end was never there.
    usual = st.sampled_from(range(max(len(connections), 1)))
    connection = draw(_seldom(usual, st.just(len(connections))))
    kind = draw(_seldom(st.just([*connections, "AmazonS3"][connection]), st.just("AzureBlob")))
    at = "table" if draw(_seldom(st.just(kind == "GoogleBigQuery"), st.booleans())) else "file"
    cloud: Json = {"type": kind, "connectionId": connection, at: draw(_seldom(st.just("x"), texts))}
    model: Json = {"type": "Anaplan", "actionId": draw(_seldom(st.just("112000000005"), texts)), **place}
    job: Json
    if draw(st.booleans()):
        job = {
            "type": f"{kind}ToAnaplan",
            "sources": [cloud],
            "targets": [{**model, "fileId": "113000000000"}],
        }
    else:
        overwrite = draw(st.sampled_from(({}, {"overwrite": True}, {"overwrite": False})))
        job = {"type": f"AnaplanTo{kind}", "sources": [model], "targets": [{**cloud, **overwrite}]}
        if draw(_seldom(st.just(kind == "GoogleBigQuery"), st.booleans())):
            job["mapping"] = [
                {"sourceName": draw(_seldom(_words, texts)), "targetName": draw(_seldom(_words, texts))}
                for _ in range(draw(st.integers(1, 2)))
            ]
    odd = draw(
        _seldom(st.just({}), st.sampled_from(({"type": "FtpToAnaplan"}, {"sources": []}, {"mapping": {}})))
    )
    return {**job, **odd}


@st.composite
def _schedules(draw: st.DrawFn) -> Json:
    days = draw(st.lists(st.integers(0, 6), min_size=1, max_size=3))
    made: Json = dict(
        draw(
            st.sampled_from(
                (
                    {
                        "type": "hourly",
                        "repeatEvery": 2,
                        "fromTime": "08:00",
                        "toTime": "18:00",
                        "daysOfWeek": days,
                    },
                    {"type": "daily", "time": "06:15"},
                    {"type": "weekly", "time": "22:00", "daysOfWeek": days},
                    {"type": "monthly_specific_day", "time": "22:00", "dayOfMonth": 12},
                    {"type": "monthly_relative_weekday", "time": "22:00", "dayOfWeek": 3, "repeatEvery": 2},
                    {
                        "type": "monthly_relative_weekday",
                        "time": "22:00",
                        "daysOfWeek": [3],
                        "repeatEvery": 2,
                    },
                    {"type": "yearly", "time": "22:00"},
                )
            )
        )
    )
    made |= {
        "name": draw(names),
        "startDate": draw(st.sampled_from(("2020-01-07", "2099-01-07"))),
        "timezone": draw(_seldom(st.sampled_from(("Greenwich", "Europe/Paris")), texts)),
        "status": draw(st.sampled_from(("Active", "Inactive", "active"))),
    }
    if draw(st.booleans()):
        made["endDate"] = draw(_seldom(st.just("2099-12-31"), texts))
    if draw(_seldom(st.just(False), st.just(True))):
        field = draw(st.sampled_from(sorted({*made} - {"name", "type", "status"})))
        made[field] = draw(_strange)
    return made


@st.composite
def _notifications(draw: st.DrawFn) -> Json:
    people = st.lists(st.sampled_from((*USERS.values(), GUID)), unique=True, max_size=3)
    channels = st.lists(_seldom(st.sampled_from(("email", "in_app")), texts), unique=True, max_size=2)
    users = st.dictionaries(st.sampled_from(("success", "partial_failure", "full_failure")), people)
    return {"channels": draw(channels), "users": draw(users)}


@st.composite
def _flows(draw: st.DrawFn, integrations: int) -> Json:
    steps: list[Json] = []
    usual = st.lists(st.sampled_from(range(max(integrations, 1))), min_size=1, max_size=4, unique=True)
    for index in draw(_seldom(usual, st.lists(st.integers(0, integrations), max_size=3))):
        step: Json = {"referrer": index}
        if steps:
            before = [one["referrer"] for one in steps]
            earlier = st.lists(st.sampled_from(before), unique=True, max_size=2)
            step["dependsOn"] = draw(_seldom(earlier, st.lists(st.integers(0, integrations), max_size=2)))
        step["isSkipped"] = draw(_seldom(st.just(False), st.booleans()))
        known = st.tuples(
            st.sampled_from(("failure", "partial_success")), st.sampled_from(("stop", "continue"))
        )
        behaviour = draw(st.lists(_seldom(known, st.tuples(texts, texts)), max_size=2))
        step["exceptionBehavior"] = [{"type": of, "strategy": strategy} for of, strategy in behaviour]
        if draw(_seldom(st.just(False), st.just(True))):
            step["type"] = "Pause"
        steps.append(step)
    return {"name": draw(names), "steps": steps}


def make(tenant: Tenant, drawn: Drawn) -> None:
    """Make it by edits; what was to be gone is deleted last."""
    ids: dict[str, list[str]] = {"connection": [], "integration": []}

    def named(kind: str, index: int) -> str:
        return (*ids[kind], f"{index:032x}")[min(index, len(ids[kind]))]

    for body in drawn.connections:
        ids["connection"].append(tenant.edit("create", "connection", body=body))
    for body in drawn.integrations:
        jobs = [_with_ids(job, lambda index: named("connection", index)) for job in body.get("jobs", ())]
        made = {**body, **({"jobs": jobs} if "jobs" in body else {})}
        ids["integration"].append(tenant.edit("create", "integration", body=made))
    for index, body in drawn.schedules.items():
        tenant.edit("create", "schedule", id=ids["integration"][index], body=body)
    for index, told in drawn.notifications.items():
        tenant.edit("create", "notification", id=ids["integration"][index], body=told)
    for body in drawn.flows:
        steps = [
            {
                **step,
                "referrer": named("integration", step["referrer"]),
                "dependsOn": [named("integration", one) for one in step.get("dependsOn", ())],
            }
            for step in body["steps"]
        ]
        tenant.edit("create", "flow", body={**body, "steps": steps})
    holding = {one["integrationId"] for one in tenant.snapshot()["notifications"]}
    for kind, index in sorted(drawn.gone, key=lambda one: one[0], reverse=True):
        id = ids["integration" if kind == "notification" else kind][index]
        if kind != "notification" or id in holding:
            tenant.edit("delete", kind, id=id)


def _with_ids(job: Json, connection: Any) -> Json:
    ends = {
        side: [
            {**end, **({"connectionId": connection(end["connectionId"])} if "connectionId" in end else {})}
            for end in job[side]
        ]
        for side in ("sources", "targets")
    }
    return {**job, **ends}
