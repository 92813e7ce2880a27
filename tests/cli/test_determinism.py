"""The same inputs give the same bytes, whatever the hash seed and the order in which files are found."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from support.program import cwsync_process
from support.projects import EXAMPLES, Project, example
from support.tenant import embedded

_SECONDS = re.compile(r'"seconds": [\d.]+')


def planned(project: Project, seed: int) -> str:
    """The plan as JSON, without how long reading took."""
    ran = cwsync_process(
        "plan", "--format", "json", folder=project.root, environ={"PYTHONHASHSEED": str(seed)}
    )
    assert ran.status == 0, ran.all
    return _SECONDS.sub('"seconds": 0', ran.out)


def shuffle(project: Project, seed: int) -> None:
    """The same resources, in other files and in another order: a file for each document of each file."""
    chance = random.Random(seed)
    texts = []
    for file in sorted((project.root / "manifests").glob("*.yaml")):
        texts += file.read_text(encoding="utf-8").split("\n---\n")
        file.unlink()
    chance.shuffle(texts)
    for number, text in enumerate(texts):
        lines = re.split(r"^(?=\S)", text, flags=re.MULTILINE)
        chance.shuffle(sections := [part for part in lines if not part.startswith("#")])
        folder = chance.choice(["a", "b/c", ""])
        project.write(f"manifests/{folder}/{chance.randrange(100)}-{number}.yaml", "".join(sections))


@pytest.mark.parametrize("name", sorted(path.parent.name for path in EXAMPLES.glob("*/manifests")))
def test_a_plan_is_the_same_to_the_byte(name: str, tmp_path: Path) -> None:
    project = example(name, tmp_path)
    fresh = [planned(project, 1), planned(project, 2)]
    environment = json.loads(fresh[0])["cwsync"]["environment"]
    assert project.run("apply", "--auto-approve").status == 0
    with embedded(project.root / f".cwsync/{environment}.emulator.db") as tenant:
        changed_one, *others = tenant.names("integrations")
        tenant.edit("update", "integration", name=changed_one, body={"nuxVisible": True})
        flow = next(iter(tenant.names("flows")), None)
        tenant.edit("delete", "flow" if flow else "integration", name=flow or others[0])
        tenant.edit("create", "integration", body={"name": "Not ours", "processId": "1"})
    changed = [planned(project, 3), planned(project, 4)]
    shuffle(project, 5)
    changed.append(planned(project, 6))
    assert fresh[0] == fresh[1]
    assert changed[0] == changed[1] == changed[2]
    assert '"update"' in changed[0]
    assert '"create"' in changed[0]
