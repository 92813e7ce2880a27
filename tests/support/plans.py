"""Plans of any size, made by the real planner from manifests that are written here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cwsync.kinds import Desired, Fields, Observed, Ref, Snapshot, TypeOf
from cwsync.manifest import load_manifests
from cwsync.plan import Plan, make_plan
from cwsync.project import Guards
from cwsync.state import Entry, State
from cwsync.variables import Variables

Manifest = dict[str, dict[str, Any]]
WORKSPACE, MODEL, ALICE = "8a81b09d5e8c6f27015ece3402487d33", "35A6EF893D7F47EEA5A554D5CC7DC330", "2c9b" * 8
_TOPICS = ("Accounts", "Prices", "Budget", "Headcount", "Actuals", "Orders", "Rates & fees", "Stock <EU>")


def plan_with(changes: int, *, guards: Guards | None = None) -> Plan:
    """A plan of so many changes of every sort, in an otherwise quiet tenant."""
    teams = changes // 6  # a team makes five changes or so
    while True:
        teams += 1
        plan = _plan(teams if changes else 0, guards or Guards(maxDeletes=1000, maxDeletePercent=100))
        met = [change.address for change in plan.changes if change.action != "no-op"]
        if len(met) >= changes:
            wanted = set(met[:changes]) if changes > 8 else set(met[-changes:] if changes else ())
            return _only(plan, wanted)


def _only(plan: Plan, wanted: set[str]) -> Plan:
    calls = [call for call in plan.calls if call.address in wanted]
    orders = {call.order: number for number, call in enumerate(calls, 1)}
    return replace(
        plan,
        changes=tuple(one for one in plan.changes if one.action == "no-op" or one.address in wanted),
        calls=tuple(
            replace(
                call,
                order=orders[call.order],
                after=tuple(orders[one] for one in call.after if one in orders),
            )
            for call in calls
        ),
    )


def _plan(teams: int, guards: Guards) -> Plan:
    before, now = _loaded(_before(teams)), _loaded(_now(teams))
    state, snapshot = _applied(before)
    secrets = {
        address: dict.fromkeys(one.secrets, "same")
        for address, one in now.items()
        if address in state.resources
    }
    return make_plan(now, state, snapshot, environment="prod", tenant="acme", guards=guards, secrets=secrets)


def _team(number: int, topic: str) -> Manifest:
    key = f"{topic.split(maxsplit=1)[0].lower()}-{number}"
    s3: dict[str, Any] = {"type": "AmazonS3", "bucketName": f"landing-{number}"}
    s3 |= {name: {"fromEnv": "KEY"} for name in ("accessKeyId", "secretAccessKey")}
    return {
        "connections": {f"team-{number}": {"name": f"Landing of team {number}", **s3}},
        "integrations": {
            key: _integration(f"{topic} {number}", f"team-{number}"),
            f"{key}-history": _integration(f"{topic} {number}, history", f"team-{number}"),
        },
        "schedules": {
            key: {"type": "daily", "time": "02:15", "startDate": "2030-01-07", "timezone": "Europe/Paris"},
        },
        "notifications": {key: {"channels": ["email"], "notify": {"full_failure": [ALICE]}}},
        "flows": {f"nightly-{number}": {"steps": [{"integration": key}, {"integration": f"{key}-history"}]}},
    }


def _integration(name: str, connection: str) -> dict[str, Any]:
    source = {
        "connection": connection,
        "file": f"{name}.csv",
        "actionId": "112000000005",
        "fileId": "113000000000",
    }
    return {"name": name, "workspaceId": WORKSPACE, "modelId": MODEL, "jobs": [{"import": source}]}


def _teams(teams: int) -> list[Manifest]:
    quiet = _team(0, "Quiet")
    return [quiet, *(_team(number, _TOPICS[number % len(_TOPICS)]) for number in range(1, teams + 1))]


def _before(teams: int) -> Manifest:
    """Every third team is new."""
    return _merged([team for number, team in enumerate(_teams(teams)) if number % 3 != 1])


def _now(teams: int) -> Manifest:
    """Every third team has gone, all but a connection; of the rest, this and that changes."""
    made = []
    for number, team in enumerate(_teams(teams)):
        if number % 3 == 0 and number:
            next(iter(team["connections"].values()))["workspaceId"] = WORKSPACE
            made.append({"connections": team["connections"]})
            continue
        if number % 3 == 2:
            schedule, integration = (
                next(iter(team["schedules"].values())),
                next(iter(team["integrations"].values())),
            )
            schedule |= (
                {"time": "04:45", "timezone": "America/New_York"} if number % 2 else {"enabled": False}
            )
            integration["jobs"][0]["import"] |= {"file": "exports/" + "a long name, " * 14 + ".csv"}
            next(iter(team["flows"].values()))["steps"].reverse()
        made.append(team)
    return _merged(made)


def _merged(teams: list[Manifest]) -> Manifest:
    merged: Manifest = {}
    for team in teams:
        for section, resources in team.items():
            merged.setdefault(section, {}).update(resources)
    return merged


def _loaded(manifest: Manifest) -> Mapping[str, Desired]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "all.json"
        file.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        loaded = load_manifests(
            [(file, "manifests/all.json")], defaults={}, users={}, variables=Variables({})
        )
        return loaded.resources


def _applied(resources: Mapping[str, Desired]) -> tuple[State, Snapshot]:
    ids = {address: f"{number:032x}" for number, address in enumerate(resources, 0xA0000)}
    objects: dict[str, dict[str, Observed]] = {}
    entries = {}
    for address, one in resources.items():
        parent = ids[str(one.parent)] if one.parent else None
        id = parent if one.kind == "schedule" and parent else ids[address]
        fields: Any = _as_sent(one.fields, ids, resources)
        pointer = ids.get(f"notification.{one.key}") if one.kind == "integration" else None
        objects.setdefault(one.kind, {})[id] = Observed(
            one.kind, id, one.name, fields, type=str(fields.get("type")), parent=parent, notification=pointer
        )
        entries[address] = Entry(
            one.kind, id, one.name, fields, parent=str(one.parent) if one.parent else None
        )
    return State("lineage", tenant="acme", resources=entries), Snapshot(objects, today="2029-11-21", calls=7)


def _as_sent(value: Any, ids: Mapping[str, str], resources: Mapping[str, Desired]) -> Any:
    if isinstance(value, Ref):
        return ids[str(value)]
    if isinstance(value, TypeOf):
        fields: Fields = resources[str(value.ref)].fields
        return fields["type"]
    if isinstance(value, dict):
        return {key: _as_sent(item, ids, resources) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_sent(item, ids, resources) for item in value]
    return value
