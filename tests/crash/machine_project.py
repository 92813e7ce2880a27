"""The project that the machine works in: what is declared, how people change it, and the secrets' files."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

from crash.sites import LOCAL
from hypothesis import strategies as st
from property.worlds import MODEL, SECRETS, USERS, WORKSPACE, Json, Resources, projects, rekeyed, text_of

NEEDLE = "needle"
Edit = tuple[str, int, int, Resources | None]
SECTIONS = ("connections", "integrations", "schedules", "notifications", "flows")
SETTINGS: Json = {
    "version": 1,
    "environment": "test",
    "users": USERS,
    "defaults": {"integrations": {"workspaceId": WORKSPACE, "modelId": MODEL}},
    "environments": {
        "test": {
            "api": "http://emulator/2/0",
            "auth": "http://emulator",
            "authenticate": {
                "basic": {"username": "ci@example.com", "password": {"fromFile": "secrets/password"}}
            },
            "state": LOCAL,
            # One at a time: whatever goes wrong can be found again.
            "requests": {"parallelism": 1, "perSecond": 1000},
        }
    },
}
PLACES = ("bucketName", "dataset", "containerName")
NAMES = ("Sales", "Stock 2", "Prices_a", "Close-b")


def write_settings(root: Path, state: str = LOCAL) -> None:
    (root / "secrets").mkdir(parents=True, exist_ok=True)
    (root / "manifests").mkdir(exist_ok=True)
    (root / "cwsync.yaml").write_text(json.dumps(SETTINGS).replace(LOCAL, state))
    (root / "secrets" / "password").write_text(f"{NEEDLE}-password")


def write_secrets(root: Path, version: int) -> None:
    """Another version of all secrets of connections."""
    for name, text in SECRETS.items():
        (root / "secrets" / name).write_text(text.replace("made-up", f"{NEEDLE}-{version}"))


def write_manifest(root: Path, resources: Resources) -> None:
    (root / "manifests" / "all.yaml").write_text(text_of(resources))


def wire_secrets(declared: Json, version: int) -> Json:
    """What the service was sent for a connection and doesn't show."""
    secret = f"{NEEDLE}-{version}"
    key = {_camel(name): value for name, value in json.loads(SECRETS["key.json"]).items()}
    key = {name: value.replace("made-up", secret) for name, value in key.items()}
    values = {"serviceAccountKey": key, "accessKeyId": secret, "secretAccessKey": secret, "sasToken": secret}
    role = {"roleArn": declared["roleArn"]} if "roleArn" in declared else {}
    return {name: value for name, value in values.items() if name in declared} | role


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def plain(resources: Resources) -> Resources:
    """With the defaults filled in that can be written in two ways."""
    made = deepcopy(resources)
    for section in ("connections", "integrations", "flows"):
        for key, item in made[section].items():
            item.setdefault("name", key)
            if item.get("lifecycle") == {"preventDestroy": False}:
                del item["lifecycle"]
    for integration in made["integrations"].values():
        integration.setdefault("nuxVisible", False)
    for flow in made["flows"].values():
        for before, step in zip(flow["steps"], flow["steps"][1:], strict=False):
            step.setdefault("dependsOn", [before["integration"]])
    return made


def edits() -> st.SearchStrategy[Edit]:
    """How a manifest changes: what is done, to which resource, how; now and then all of it is another."""
    small = st.tuples(st.sampled_from(tuple(_TWEAKS)), st.integers(0, 7), st.integers(0, 3), st.none())
    whole = st.tuples(st.just("whole"), st.just(0), st.just(0), projects())
    return st.one_of(small, small, whole)


def edited(resources: Resources, edit: Edit) -> Resources:
    """The resources after an edit, which may have come to nothing, or to something that isn't valid."""
    what, which, how, whole = edit
    if whole is not None:
        return whole
    made = deepcopy(resources)
    _TWEAKS[what](made, which, how)
    return rekeyed(made) if what == "rekey" else _without_moves(made)


def rekeyed_one(resources: Resources, source: str, target: str, *, listed: bool) -> Resources:
    """One resource under another key, with all that refers to it; `listed` among those that were moved."""
    made = deepcopy(resources)
    kind, _, old = source.partition(".")
    new, items = target.partition(".")[2], made[f"{kind}s"]
    items[new] = {"name": old, **items.pop(old)}
    for section in ("schedules", "notifications") if kind == "integration" else ():
        for key, part in made[section].items():
            if part.get("integration", key) == old:
                part["integration"] = new
    for name in ("integrations", "flows"):
        made[name] = {key: _referring(item, kind, old, new) for key, item in made[name].items()}
    made = _without_moves(made)
    if listed:
        cast("dict[str, Any]", made).setdefault("moved", []).append({"from": source, "to": target})
    return made


def _without_moves(made: Resources) -> Resources:
    """Without moves to what isn't declared any more."""
    moves = cast("list[dict[str, str]]", made.pop("moved", []))
    declared = {f"{section[:-1]}.{key}" for section in SECTIONS for key in made[section]}
    kept = [move for move in moves if move["to"] in declared]
    return cast("Resources", {**made, **({"moved": kept} if kept else {})})


def _referring(item: Any, kind: str, old: str, new: str) -> Any:
    if isinstance(item, list):
        return [_referring(one, kind, old, new) for one in item]
    if not isinstance(item, dict):
        return item
    made = {key: _referring(one, kind, old, new) for key, one in item.items()}
    if made.get(kind) == old:
        made[kind] = new
    if kind == "integration" and "dependsOn" in made:
        made["dependsOn"] = [new if key == old else key for key in made["dependsOn"]]
    return made


def _nothing(_made: Resources, _which: int, _how: int) -> None:
    """What is done is done to the whole."""


def _pick(made: Resources, which: int, *sections: str) -> tuple[str, str, Json] | None:
    """One of the resources in these sections, by number."""
    found = [(section, key) for section in sections for key in sorted(made[section])]
    if not found:
        return None
    section, key = found[which % len(found)]
    return section, key, made[section][key]


def _rename(made: Resources, which: int, how: int) -> None:
    if picked := _pick(made, which, "connections", "integrations", "flows"):
        section, _, item = picked
        free = [n for n in (*NAMES, "Late e") if n not in {one.get("name") for one in made[section].values()}]
        item["name"] = free[how % len(free)]


def _swap(made: Resources, which: int, how: int) -> None:
    """Two of a kind exchange their names."""
    if picked := _pick(made, which, "connections", "integrations", "flows"):
        section, key, item = picked
        others = [other for other in sorted(made[section]) if other != key]
        if others:
            other = others[how % len(others)]
            theirs = made[section][other].get("name", other)
            made[section][other]["name"], item["name"] = item.get("name", key), theirs


def _change(made: Resources, which: int, how: int) -> None:
    """A field that can be changed in place."""
    if picked := _pick(made, which, *SECTIONS[:-1]):
        section, _, item = picked
        if section == "connections":
            place = next(name for name in PLACES if name in item)
            item[place] = f"place{how}"
        elif section == "integrations":
            item["nuxVisible"] = not item.get("nuxVisible", False)
        elif section == "schedules":
            item["timezone"] = ("Greenwich", "Europe/Paris", "Asia/Tokyo", "UTC")[how]
        else:
            item["notify"] = {
                ("success", "partial_failure", "full_failure")[how % 3]: ["alice", "bob"][: 1 + how % 2]
            }


def _switch(made: Resources, which: int, _how: int) -> None:
    if picked := _pick(made, which, "schedules"):
        picked[2]["enabled"] = not picked[2]["enabled"]


def _repoint(made: Resources, which: int, how: int) -> None:
    """A job uses another connection."""
    jobs = [job for item in made["integrations"].values() for job in item.get("jobs", ())]
    if jobs and made["connections"]:
        (end,) = jobs[which % len(jobs)].values()
        tables = made["connections"][end["connection"]]["type"] == "GoogleBigQuery"
        fitting = [
            key for key, one in sorted(made["connections"].items())
            if (one["type"] == "GoogleBigQuery") is tables
        ]  # fmt: skip
        end["connection"] = fitting[how % len(fitting)]


def _remove(made: Resources, which: int, _how: int) -> None:
    if picked := _pick(made, which, "flows", "notifications", "schedules", "integrations", "connections"):
        del made[picked[0]][picked[1]]


def _protect(made: Resources, which: int, how: int) -> None:
    if picked := _pick(made, which, "connections", "integrations", "flows"):
        picked[2]["lifecycle"] = {"preventDestroy": how % 2 == 0}


_TWEAKS = {
    "rename": _rename,
    "swap": _swap,
    "change": _change,
    "switch": _switch,
    "repoint": _repoint,
    "remove": _remove,
    "protect": _protect,
    "rekey": _nothing,
}
