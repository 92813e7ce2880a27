"""The same inputs give the same bytes, whatever order they come in; and what is equal costs nothing."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeVar

import pytest
from unit.plan.scene import TODAY, World, after, declared, id_for, imports, plan, s3, sections

from cwsync.kinds import KINDS, Snapshot
from cwsync.plan import Plan, canonical_json, make_plan
from cwsync.project import Guards

TESTS = Path(__file__).resolve().parents[2]
WAS = sections(
    connections=s3("a", name="one") + s3("b", name="two") + s3("c"),
    integrations=imports("i", "a") + imports("j", "b") + "  k: {processId: 118}\n",
    schedules="  i: {}\n  j: {name: x}\n",
    notifications="  i: {channels: [email], notify: {success: [alice, bob]}}\n",
    flows="  f: {steps: [{integration: i}, {integration: j}]}\n",
)
NOW = sections(
    connections=s3("b", name="one")
    + s3("d")
    + "  c: {type: AzureBlob, storageAccountName: s, containerName: c}\n",
    integrations=imports("i", "c") + imports("j", "d") + imports("l", "d"),
    schedules="  i: {enabled: false}\n  l: {}\n",
    notifications="  l: {channels: [in_app], notify: {success: [alice]}}\n",
    flows="  f: {steps: [{integration: j}, {integration: l}, {integration: i}]}\n",
)
Key = TypeVar("Key")
Item = TypeVar("Item")


def _shuffled(items: Mapping[Key, Item], rng: random.Random) -> dict[Key, Item]:
    pairs = [*items.items()]
    rng.shuffle(pairs)
    return dict(pairs)


def _plan(world: World, rng: random.Random) -> Plan:
    objects = {kind: _shuffled(found, rng) for kind, found in _shuffled(world.snapshot.objects, rng).items()}
    return make_plan(
        _shuffled(declared(NOW), rng),
        replace(world.state, resources=_shuffled(world.state.resources, rng)),
        Snapshot(objects, today=TODAY),
        environment="test",
        tenant="acme",
        guards=Guards(maxDeletes=1),
        secrets=_shuffled({"connection.b": {"accessKeyId": "changed"}, "connection.d": {}}, rng),
    )


def test_no_order_of_the_inputs_shows_in_the_plan() -> None:
    made = {canonical_json(asdict(_plan(after(WAS), random.Random(seed)))) for seed in range(20)}
    assert len(made) == 1
    assert len(json.loads(made.pop())["calls"]) > 15


def test_no_hash_seed_shows_in_the_plan() -> None:
    program = (
        "import random; from unit.plan import test_plan_bytes as t; from dataclasses import asdict;"
        "print(repr(asdict(t._plan(t.after(t.WAS), random.Random(1)))))"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONPATH": f"{TESTS}:{TESTS.parent}", "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(made) == 1
    assert len(made.pop()) > 1000


def test_equal_pairs_never_reach_deepdiff() -> None:
    program = (
        "import sys; from unit.plan.scene import *; from unit.plan import test_plan_bytes as t;"
        "p = plan(t.WAS, after(t.WAS)); assert p.empty, p;"
        "assert 'deepdiff' not in sys.modules;"
        "p = plan(t.NOW, after(t.WAS)); assert not p.empty; assert 'deepdiff' in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": f"{TESTS}:{TESTS.parent}"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


def test_the_digest_heeds_what_would_be_done_and_nothing_else() -> None:
    made = plan(NOW, after(WAS))
    assert plan(f"# a comment\n\n{NOW}", after(WAS)).digest == made.digest
    assert replace(made, read_calls=7, read_seconds=0.5).digest == made.digest
    assert plan(NOW.replace("a.csv", "b.csv"), after(WAS)).digest != made.digest
    assert plan(NOW, after(WAS).edited("connection.b", bucketName="x")).digest != made.digest


def test_planning_changes_none_of_its_inputs() -> None:
    world, resources = after(WAS), declared(NOW)
    was = repr((world, resources))
    make_plan(resources, world.state, world.snapshot, environment="e", tenant="t", guards=Guards())
    assert repr((world, resources)) == was


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_managed_is_named_where_it_has_a_name(kind: str) -> None:
    made = plan("", replace(after(WAS), state=World().state))
    listed = [one for one in made.unmanaged if one.startswith(f"{kind} ")]
    assert bool(listed) == (KINDS[kind].listing is not None)
    assert listed == sorted(listed)
    assert made.calls == ()


def test_an_id_is_labelled_by_its_own_object() -> None:
    """A schedule goes by the id of its integration."""
    foreign = plan("", replace(after(WAS), state=World().state))
    assert foreign.labels[id_for("integration.i")] == "integration i"
    assert plan(WAS, after(WAS)).labels[id_for("integration.i")] == "integration.i"
