"""Reading and planning so many resources, in a process of its own: python -m benchmarks.scale RESOURCES TIMES

Prints as JSON the best of so many times, each taking its turn, in seconds: PyYAML's C loader alone on the same text,
what `validate` does, and the plan from an empty state. And the memory that what was read, and the plan, keep.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml
from benchmarks.sizes import manifest, of_resources, write_project

from cwsync.cli import COLLECTING
from cwsync.kinds import KINDS, Snapshot
from cwsync.manifest import Manifest, load_manifests
from cwsync.plan import Plan, make_plan
from cwsync.project import Guards, load_project, manifest_files
from cwsync.state import State


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def resident() -> int:
    """The bytes in memory now, where the system tells; else 0."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def read(root: Path) -> Manifest:
    """What `validate` does with a project, from its files to its findings."""
    project = load_project(root, None, {}, {})
    return load_manifests(
        [(path, path.name) for path in manifest_files(project)],
        defaults=project.defaults,
        users=project.users,
        variables=project.environment.variables,
    )


def planned(manifest: Manifest) -> Plan:
    nothing = Snapshot({kind: {} for kind in KINDS}, today="2026-11-22")
    return make_plan(
        manifest.resources, State.new(), nothing, environment="bench", tenant="bench", guards=Guards()
    )


def main(resources: int, times: int) -> None:
    size = of_resources(resources)
    text = manifest(size)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "project")
        write_project(root, "http://emulator", size)
        empty = resident()
        declared = read(root)
        after_reading = resident()
        plan = planned(declared)
        after_planning = resident()
        assert len(declared.resources) == len(plan.calls) == size.resources
        gc.freeze()  # what is kept here must not be walked through while others are timed
        works: dict[str, Callable[[], object]] = {
            "yaml": lambda: yaml.load(text, yaml.CSafeLoader),
            "validate": lambda: read(root),
            "plan": lambda: planned(declared),
        }
        found = dict.fromkeys(works, float("inf"))
        for _ in range(times):
            for name, work in works.items():
                found[name] = min(found[name], timed(work))
    memory = {"read": after_reading - empty, "planned": after_planning - after_reading}
    print(json.dumps({"resources": size.resources, "bytes": len(text), **memory, **found}))


if __name__ == "__main__":
    gc.set_threshold(*COLLECTING)  # as the program has it
    main(*map(int, sys.argv[1:]))
