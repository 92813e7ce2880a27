"""The main job, from the first plan to the last deletion, on a copy of examples/quickstart.

`make demo` runs this. Every line after a `$` is a command that is really run, and what follows is what it
really printed. The demonstration stops with an error where a command ends otherwise than it should.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

QUICKSTART = Path(__file__).resolve().parent / "quickstart"


class Demo:
    """A copy of the project, and the commands that are run in it."""

    def __init__(self, project: Path) -> None:
        self._project = project
        # This installation's cwsync, without what the caller has set for another project.
        self._environ = {name: value for name, value in os.environ.items() if not name.startswith("CWSYNC_")}
        self._environ["PATH"] = os.pathsep.join(
            (str(Path(sys.executable).parent), os.environ.get("PATH", ""))
        )
        self._environ["PYTHONUNBUFFERED"] = "1"
        self._steps = 0

    def say(self, title: str, text: str) -> None:
        self._steps += 1
        print(f"\n=== {self._steps}. {title}\n")
        print(textwrap.fill(textwrap.dedent(text).strip(), 100) + "\n", flush=True)

    def run(self, command: str, *, ends: int = 0, says: str = "") -> None:
        """Run a command; it must end with this status and print these words."""
        with self._started(command) as process:
            printed = ""
            for line in process.stdout or ():
                print(line, end="", flush=True)
                printed += line
        print(f"(exit status {process.returncode})\n", flush=True)
        if process.returncode != ends:
            sys.exit(f"The demonstration stops here: the exit status should have been {ends}.")
        if says not in printed:
            sys.exit(f"The demonstration stops here: the output should have had {says!r}.")

    def edit(self, file: str, before: str, after: str) -> None:
        """Change the one place in a file, and show the difference."""
        path = self._project / file
        old = path.read_text(encoding="utf-8")
        if old.count(before) != 1:
            sys.exit(f"The demonstration stops here: {file} should have had {before!r} once.")
        new = old.replace(before, after)
        path.write_text(new, encoding="utf-8")
        lines = difflib.unified_diff(
            old.splitlines(), new.splitlines(), f"a/{file}", f"b/{file}", n=1, lineterm=""
        )
        print("\n".join(lines) + "\n", flush=True)

    def change_behind_our_back(self, by: str, *edits: dict[str, object]) -> None:
        """What a colleague does in the web interface: here, a request to the emulator, served for a moment."""
        with self._emulator() as url:
            body = json.dumps({"by": by, "edits": edits})
            print(
                f"POST {url}/_emulator/edit\n{json.dumps({'by': by, 'edits': edits}, indent=2)}", flush=True
            )
            request = Request(  # noqa: S310 - the address is the emulator's own
                f"{url}/_emulator/edit", body.encode(), {"Content-Type": "application/json"}
            )
            with urlopen(request, timeout=10) as reply:  # noqa: S310 - as above
                print(f"-> {reply.status} {reply.read().decode()}")

    @contextmanager
    def _emulator(self) -> Iterator[str]:
        with self._started("cwsync emulator --port 0 --data .cwsync/local.emulator.db") as process:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                if found := re.search(r"http://[^\s/]+:\d+", line):
                    break
            else:
                sys.exit("The demonstration stops here: the emulator did not start.")
            try:
                yield found[0]
            finally:
                process.terminate()

    @contextmanager
    def _started(self, command: str) -> Iterator[subprocess.Popen[str]]:
        print(f"$ {command}", flush=True)
        with subprocess.Popen(
            shlex.split(command),
            cwd=self._project,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        ) as process:
            yield process


def main_job(demo: Demo) -> None:
    demo.say(
        "Check the files",
        """The project in examples/quickstart was copied to a temporary folder. Its tenant is the emulator
        inside cwsync, and it is still empty. First, all that can be checked without a tenant.""",
    )
    demo.run("cwsync validate")

    demo.say("Plan", "What would have to be done, as numbered calls. Nothing is changed yet.")
    demo.run("cwsync plan --out first.plan", says="13 to add, 0 to change, 0 to destroy")

    demo.say(
        "Apply",
        "Exactly the calls of that plan are made, each as soon as what it depends on is there.",
    )
    demo.run("cwsync apply first.plan")

    demo.say("Plan again", "Files and tenant agree now, and the exit status says so.")
    demo.run("cwsync plan --detailed-exitcode", says="No changes.")

    demo.say(
        "Somebody changes the tenant",
        "A colleague changes two things in the web interface, and tells nobody.",
    )
    demo.change_behind_our_back(
        "Grace Hopper",
        {
            "action": "update",
            "kind": "connection",
            "name": "Sales S3",
            "body": {"bucketName": "somebody-elses-bucket"},
        },
        {"action": "update", "kind": "integration", "name": "Stock levels", "body": {"nuxVisible": True}},
    )

    demo.say("Drift", "cwsync finds it: which fields, by whom, and when. Exit status 2 means there is drift.")
    demo.run("cwsync drift", ends=2, says="Grace Hopper")

    demo.say("Repair", "The files say how it should be, so apply puts that back.")
    demo.run("cwsync apply --auto-approve", says="0 to add, 2 to change, 0 to destroy")
    demo.run("cwsync drift")

    demo.say(
        "Change the files",
        """An integration gets a new name, which is a change and not a new integration, because its key
        stays. And one file is removed, with the integration, the schedule and the notification in it.""",
    )
    demo.edit("manifests/sales.yaml", "name: Accounts import", "name: Accounts load")
    demo.run("rm manifests/stock.yaml")
    demo.run("cwsync plan --detailed-exitcode --out change.plan", ends=2)
    demo.run("cwsync apply change.plan")

    demo.say("Destroy", "All that cwsync manages is deleted, in the reverse order. Nothing else is touched.")
    demo.run("cwsync destroy --auto-approve")
    demo.run("cwsync state list")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="cwsync-demo-") as folder:
        project = Path(folder) / "quickstart"
        shutil.copytree(QUICKSTART, project, ignore=shutil.ignore_patterns(".cwsync"))
        main_job(Demo(project))
    print(
        "That was the main job. To try it yourself: cd examples/quickstart, then ../../.venv/bin/cwsync plan"
    )


if __name__ == "__main__":
    main()
