"""Random valid projects over all kinds, as YAML in folders, and what a tenant looks like without its ids."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]
Resources = dict[str, dict[str, Json]]
"""By section and key, as a user writes them."""

WORKSPACE, MODEL = "8a81b09d5e8c6f27015ece3402487d33", "35A6EF893D7F47EEA5A554D5CC7DC330"
USERS = {"alice": "2c9ba1b6729b7fd80172c3f635db40f7", "bob": "8a80db4c7a3c1f61017a4e2f0d3b5a19"}
GUID = "8a81c2d35e7b9f04016e8d1f6a2c7b30"
SECRETS = {
    "text": "made-up",
    "key.json": json.dumps(
        {
            "type": "service_account",
            **dict.fromkeys(
                (
                    "project_id",
                    "private_key_id",
                    "private_key",
                    "client_email",
                    "client_id",
                    "auth_uri",
                    "token_uri",
                    "auth_provider_x509_cert_url",
                    "client_x509_cert_url",
                ),
                "made-up",
            ),
        }
    ),
}
_TEXT = {"fromFile": "secrets/text"}
# The same few names for all: between two projects they are kept, given up, taken over and exchanged.
_NAMES = ("Sales", "Stock 2", "Prices_a", "Close-b")
_KEYS = ("a", "b", "c", "d")


def projects() -> st.SearchStrategy[Resources]:
    """Valid resources of all kinds: up to four connections and integrations, their schedules, notifications
    and flows."""
    return _projects()


@st.composite
def _projects(draw: st.DrawFn) -> Resources:
    connections = draw(_named(_connections()))
    integrations = draw(_named(_integrations(connections)))
    keys = sorted(integrations)
    made: Resources = {
        "connections": connections,
        "integrations": integrations,
        "schedules": draw(_facets(keys, _schedules())),
        "notifications": draw(_facets(keys, _notifications())),
        "flows": draw(_named(_flows(keys), most=2)) if len(keys) > 1 else {},
    }
    if not any(made.values()):  # an empty project is an error
        made["integrations"]["a"] = {"processId": 118000000001}
    return made


@st.composite
def _named(draw: st.DrawFn, of: st.SearchStrategy[Json], most: int = 4) -> dict[str, Json]:
    """Resources by key; those without a name are called by their key."""
    keys = draw(st.lists(st.sampled_from(_KEYS), unique=True, max_size=most))
    names = draw(st.permutations((*_NAMES, *(None for _ in keys))))
    made = {}
    for key, name in zip(keys, names, strict=False):
        made[key] = {**({"name": name} if name else {}), **draw(of)}
    return made


@st.composite
def _connections(draw: st.DrawFn) -> Json:
    place = draw(st.sampled_from(("one", "two")))
    made: Json = draw(
        st.sampled_from(
            (
                {
                    "type": "AmazonS3",
                    "bucketName": place,
                    "accessKeyId": _TEXT,
                    "secretAccessKey": {"fromFile": "secrets/text"},
                },
                {
                    "type": "GoogleBigQuery",
                    "dataset": place,
                    "serviceAccountKey": {"fromFile": "secrets/key.json"},
                },
                {"type": "AzureBlob", "storageAccountName": place, "containerName": "in", "sasToken": _TEXT},
            )
        )
    )
    if made["type"] == "AmazonS3" and draw(st.booleans()):
        made = {**made, "roleArn": f"arn:aws:iam::1:role/{place}"}
    return {**made, **({"workspaceId": WORKSPACE} if draw(st.booleans()) else {})}


@st.composite
def _integrations(draw: st.DrawFn, connections: Mapping[str, Json]) -> Json:
    made: Json = {"nuxVisible": True} if draw(st.booleans()) else {}
    process = not connections or draw(st.booleans())
    jobs = (
        draw(st.lists(_jobs(connections), min_size=0 if process else 1, max_size=2 if process else 1))
        if (connections)
        else []
    )
    if jobs:
        made["jobs"] = jobs
    return {**made, **({"processId": draw(st.sampled_from((118000000001, 118000000002)))} if process else {})}


@st.composite
def _jobs(draw: st.DrawFn, connections: Mapping[str, Json]) -> Json:
    key = draw(st.sampled_from(sorted(connections)))
    table = connections[key]["type"] == "GoogleBigQuery"
    at: Json = {"table" if table else "file": draw(st.sampled_from(("x", "y")))}
    action = draw(st.sampled_from((112000000005, 116000000053)))
    if action < 116000000000:
        return {"import": {"connection": key, **at, "actionId": action, "fileId": 113000000000}}
    more: Json = {"mapping": draw(st.sampled_from(({"a": "b"}, {"a": "c", "d": "e"})))} if table else {}
    return {"export": {"connection": key, **at, "actionId": action, "overwrite": draw(st.booleans()), **more}}


@st.composite
def _facets(draw: st.DrawFn, keys: Sequence[str], of: st.SearchStrategy[Json]) -> dict[str, Json]:
    """For some of the integrations; now and then with a key of their own."""
    made = {}
    for key in keys:
        if draw(st.booleans()):
            facet = draw(of)
            own = draw(st.sampled_from((key, key, f"of-{key}")))
            made[own] = facet if own == key else {"integration": key, **facet}
    return made


@st.composite
def _schedules(draw: st.DrawFn) -> Json:
    days = draw(st.lists(st.sampled_from((0, "mon", 6)), min_size=1, unique=True))
    time = draw(st.sampled_from(("06:15", "22:00")))
    made: Json = draw(
        st.sampled_from(
            (
                {
                    "type": "hourly",
                    "repeatEvery": 2,
                    "fromTime": "08:00",
                    "toTime": "18:00",
                    "daysOfWeek": days,
                },
                {"type": "daily", "time": time},
                {"type": "weekly", "time": time, "daysOfWeek": days},
                {"type": "monthly_specific_day", "time": time, "dayOfMonth": 12},
                {"type": "monthly_relative_weekday", "time": time, "dayOfWeek": "wed", "repeatEvery": 2},
            )
        )
    )
    zone = draw(st.sampled_from(("Greenwich", "Europe/Paris")))
    ends = {"endDate": "2099-12-31"} if draw(st.booleans()) else {}
    return {**made, "startDate": "2099-01-07", "timezone": zone, "enabled": draw(st.booleans()), **ends}


@st.composite
def _notifications(draw: st.DrawFn) -> Json:
    outcomes = draw(
        st.lists(st.sampled_from(("success", "partial_failure", "full_failure")), min_size=1, unique=True)
    )
    people = st.lists(st.sampled_from(("alice", "bob", GUID)), min_size=1, unique=True)
    channels = draw(st.lists(st.sampled_from(("email", "in_app")), min_size=1, unique=True))
    return {"channels": channels, "notify": {outcome: draw(people) for outcome in outcomes}}


@st.composite
def _flows(draw: st.DrawFn, keys: Sequence[str]) -> Json:
    order = draw(st.lists(st.sampled_from(list(keys)), min_size=2, unique=True))
    steps: list[Json] = []
    for index, key in enumerate(order):
        step: Json = {"integration": key}
        if index > 1 and draw(st.booleans()):
            step["skip"] = True
        if index and draw(st.booleans()):
            step["dependsOn"] = draw(st.lists(st.sampled_from(order[:index]), min_size=1, unique=True))
        if draw(st.booleans()):
            step["onFailure"] = "continue"
        steps.append(step)
    return {"steps": steps}


def edits() -> st.SearchStrategy[tuple[Resources, Resources]]:
    """Two projects, one to follow the other: any two, or one and the same with other keys and the same names,
    or with names that are exchanged."""
    return st.one_of(
        st.tuples(projects(), projects()),
        projects().map(lambda one: (one, rekeyed(one))),
        projects().map(lambda one: (one, exchanged(one))),
    )


def exchanged(resources: Resources) -> Resources:
    """The same resources, of which each has the name of the next; and what integrations do is something else."""
    made = {section: dict(items) for section, items in resources.items()}
    for section in ("connections", "integrations", "flows"):
        names = [item.get("name", key) for key, item in made[section].items()]
        for (key, item), name in zip(made[section].items(), [*names[1:], *names[:1]], strict=True):
            made[section][key] = {**item, "name": name}
    for key, item in made["integrations"].items():
        process = {"processId": 118000000003} if "processId" in item else {}
        jobs = json.loads(json.dumps(item.get("jobs", [])).replace('"x"', '"z"'))
        made["integrations"][key] = {**item, **process, **({"jobs": jobs} if jobs else {})}
    return made


def rekeyed(resources: Resources) -> Resources:
    """The same connections and integrations under other keys, where everything that refers to them stays."""
    made: Resources = {
        section: {f"new-{key}": {"name": key, **item} for key, item in resources[section].items()}
        for section in ("connections", "integrations")
    }
    for section in ("schedules", "notifications"):
        made[section] = {
            f"new-{key}": {**item, "integration": f"new-{item.get('integration', key)}"}
            for key, item in resources[section].items()
        }
    made["flows"] = resources["flows"]
    referring = json.dumps([made["integrations"], made["flows"]])
    referring = re.sub(r'"(connection|integration)": "', r'"\1": "new-', referring)
    made["integrations"], made["flows"] = json.loads(referring)
    for flow in made["flows"].values():
        for step in flow["steps"]:
            if "dependsOn" in step:
                step["dependsOn"] = [f"new-{key}" for key in step["dependsOn"]]
    return made


def text_of(resources: Resources) -> str:
    """The manifest: JSON, which is YAML."""
    return json.dumps({section: items for section, items in resources.items() if items}, indent=1)


def write_project(root: Path, resources: Resources, order: Sequence[int] = ()) -> Path:
    """A project on the embedded emulator. With `order`, its resources stand in several files, in that order."""
    (root / "secrets").mkdir(parents=True, exist_ok=True)
    for name, secret in SECRETS.items():
        (root / "secrets" / name).write_text(secret)
    settings: Json = {
        "version": 1,
        "users": USERS,
        "defaults": {"integrations": {"workspaceId": WORKSPACE, "modelId": MODEL}},
        "environments": {"local": {"api": "emulator"}},
    }
    (root / "cwsync.yaml").write_text(json.dumps(settings))
    folder = root / "manifests"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    items = [(section, key, item) for section, those in resources.items() for key, item in those.items()]
    if not order:
        (folder / "all.yaml").write_text(text_of(resources))
        return root
    ranked = sorted(range(len(items)), key=lambda index: order[index % len(order)])
    for number, index in enumerate(ranked):
        section, key, item = items[index]
        with (folder / f"{number % 3}.yaml").open("a") as file:
            file.write(f"---\n{json.dumps({section: {key: item}})}\n")
    return root


_OF_THE_MOMENT = ("creationDate", "modificationDate", "createdBy", "modifiedBy", "secrets", "latestRun")


def without_ids(snapshot: Json, resources: Resources) -> Json:
    """A tenant as names, not ids, so that two tenants can be compared; notifications where they are declared:
    the service makes one with every integration, and none again where one was deleted."""
    names = {each["connectionId"]: f"connection {each['body']['name']}" for each in snapshot["connections"]}
    names |= {each["integrationId"]: f"integration {each['name']}" for each in snapshot["integrations"]}
    names |= {each["id"]: f"flow {each['name']}" for each in snapshot["flows"]}
    declared = {item.get("integration", key) for key, item in resources["notifications"].items()}
    known = {f"integration {resources['integrations'][key].get('name', key)}" for key in declared}
    kept = [one for one in snapshot["notifications"] if names.get(one["integrationId"]) in known]
    text = json.dumps({**snapshot, "notifications": kept})
    text = re.sub(r"\b[0-9a-f]{32}\b", lambda found: names.get(found[0], found[0]), text)
    return {section: sorted(map(_plain, items)) for section, items in json.loads(text).items()}


def _plain(item: Json) -> str:
    kept = {key: value for key, value in item.items() if key not in (*_OF_THE_MOMENT, "notificationId")}
    if "config" in kept:
        kept["config"] = {outcome: sorted(users) for outcome, users in kept["config"].items()}
        kept["channels"] = sorted(kept["channels"])
    for step in kept.get("steps", ()):
        step["dependsOn"] = sorted(step.get("dependsOn", ()))
    return json.dumps(kept, sort_keys=True)
