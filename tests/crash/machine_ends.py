"""What the machine holds against what it knows: what may keep an apply back, and how everything must end."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from crash.invariants import Broken, Key
from crash.machine_model import IDS, KINDS, Json, name_of, objects
from crash.machine_outside import Place, Run
from crash.machine_people import People
from crash.machine_project import plain, wire_secrets, write_manifest, write_secrets, write_settings
from property.worlds import Resources, without_ids


def codes(ran: Run) -> set[str]:
    """What it told; warnings do not count."""
    return set(re.findall(r"\b(CW\d{3})\b(?! warning)", ran.all))


def holds(broken: Iterable[Broken]) -> None:
    told = [str(one) for one in broken]
    assert not told, "\n".join(told)


def excuses(place: Place, people: People, declared: Resources, command: str) -> set[str]:
    """What may keep an apply back without any trouble."""
    state = place.state
    scheduled = any(kind == "schedule" for kind, _ in people.foreign)
    kept = any(entry["protect"] for entry in state["resources"].values()) or "preventDestroy" in str(declared)
    reasons = (
        ("CW501", command == "apply" and (scheduled or named_like_ours(people, declared))),
        ("CW502", kept),
        ("CW504", people.that_use(id for section in IDS for id in people.ours(section))),
        ("CW605", state["pending"]),
    )
    return {code for code, holds_now in reasons if holds_now}


def named_like_ours(people: People, declared: Resources) -> list[Key]:
    """What is somebody's and has a declared name: `--adopt` may take it."""
    there, wanted = objects(people.tenant.snapshot()), plain(declared)
    return [
        (KINDS[section], id)
        for section in IDS
        for id in people.theirs(section)
        if name_of(there[id][1]) in {one["name"] for one in wanted[section].values()}
    ]


def is_as_made_afresh(place: Place, people: People, declared: Resources, version: int) -> None:
    """The tenant, but for what is foreign, is what these manifests make of an empty one."""
    snapshot, theirs = place.tenant.snapshot(), {id for _, id in people.foreign}
    for section, id in {**IDS, "notifications": "integrationId"}.items():
        snapshot[section] = [one for one in snapshot[section] if one[id] not in theirs]
    with tempfile.TemporaryDirectory() as folder:
        fresh = Place(Path(folder))
        write_settings(fresh.root)
        write_secrets(fresh.root, version)
        write_manifest(fresh.root, declared)
        done = fresh.run("apply", "--auto-approve")
        assert done.status == 0, done.all
        taken = [one for one in place.state["resources"].values() if one["origin"] == "adopted"]
        unseen = {one["name"] for one in taken if one["kind"] == "connection"}
        there, wanted = (
            without_ids(_as_seen(each, unseen), declared) for each in (snapshot, fresh.tenant.snapshot())
        )
        for section in wanted:
            assert there[section] == wanted[section], f"{there[section]}\n{wanted[section]}"
        fresh.close()


def _as_seen(snapshot: Json, adopted: set[str]) -> Json:
    """Without the workspace of connections that were adopted: no reply need show it (facts C1)."""
    for one in snapshot["connections"]:
        if one["body"]["name"] in adopted:
            one["workspaceId"] = None
    return snapshot


def has_these_secrets(place: Place, declared: Resources, version: int) -> None:
    """The service shows none; but equal ones are equal in its data. What was adopted, and not changed since, has
    those that it had: nobody can know them."""
    for key, one in declared["connections"].items():
        ours = place.state["resources"][f"connection.{key}"]
        if ours["origin"] == "created" or ours["secrets"]:
            body = {"name": f"Probe {key}", **wire_secrets(one, version)}
            probe = place.tenant.edit("create", "connection", body={"type": one["type"], "body": body})
            there = objects(place.tenant.snapshot())
            secrets = there[ours["id"]][1]["secrets"]
            assert secrets == there[probe][1]["secrets"], f"the secrets of {key}: {ours}"
