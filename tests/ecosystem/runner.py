"""Runs the steps of action.yml as GitHub's runner does: shells in a folder, with files for outputs and the summary.

Of the actions that it uses, those for artifacts are played by a folder, and the one for Python by this Python.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from ecosystem.forges import TOKEN, GitHub

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
_NAME = re.compile(r"'[^']*'|[a-z][\w.-]*\.[\w.-]+")


@cache
def action() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return loaded


@dataclass
class Job:
    """What one use of the action came to."""

    status: int = 0
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    log: str = ""


@dataclass
class Runner:
    """A runner with a checkout in `workspace`, for jobs of one repository on GitHub."""

    github: GitHub
    workspace: Path
    folder: Path
    run: int = 100
    head: str = "head1"

    def job(self, mode: str, event: str = "push", **inputs: str) -> Job:
        """One job, in a run of its own."""
        self.run += 1
        temporary = self.folder / f"run{self.run}"
        temporary.mkdir(parents=True)
        given = {name: str(one.get("default", "")) for name, one in action()["inputs"].items()}
        given |= {"mode": mode, "environment": "local", "install": "false", "token": TOKEN} | inputs
        known = {f"inputs.{name.replace('_', '-')}": value for name, value in given.items()}
        known |= {"github.event_name": event, "github.event.pull_request.number": "7"}
        done = Job()
        for step in action()["runs"]["steps"]:
            if _true(step.get("if", "true"), known):
                self._step(step, known, temporary, done)
            if done.status:
                break
        done.outputs = {
            name: _filled(one["value"], known) for name, one in action()["outputs"].items() if "value" in one
        }
        return done

    def _step(self, step: dict[str, Any], known: dict[str, str], temporary: Path, done: Job) -> None:
        if "uses" in step:
            self._artifact(step["uses"], {k: _filled(v, known) for k, v in step["with"].items()})
            return
        output, summary = temporary / "output", temporary / "summary"
        environ = {
            **{name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ},
            "PATH": f"{BIN}:{os.environ['PATH']}",
            **{k: v for k, v in self.github.environ.items() if k not in ("GITHUB_TOKEN", "PULL_REQUEST")},
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            "RUNNER_TEMP": str(temporary),
            **{name: _filled(value, known) for name, value in step.get("env", {}).items()},
        }
        assert step["shell"] == "bash"
        (temporary / "step.sh").write_text(step["run"], encoding="utf-8")
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(temporary / "step.sh")],
            cwd=self.workspace,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        done.status = ran.returncode
        done.log += ran.stdout
        done.summary = summary.read_text(encoding="utf-8") if summary.exists() else ""
        for line in output.read_text(encoding="utf-8").splitlines() if output.exists() else ():
            name, _, value = line.partition("=")
            known[f"steps.{step.get('id')}.outputs.{name}"] = value
        output.unlink(missing_ok=True)

    def _artifact(self, uses: str, given: Mapping[str, str]) -> None:
        if uses.startswith("actions/upload-artifact@"):
            kept = self.folder / "artifacts" / str(self.run) / given["name"]
            kept.mkdir(parents=True)
            shutil.copy(self.workspace / given["path"], kept)
            self.github.keep(given["name"], self.run, self.head)
        else:
            assert uses.startswith("actions/download-artifact@"), uses
            assert given["github-token"] == TOKEN
            kept = self.folder / "artifacts" / given["run-id"] / given["name"]
            shutil.copytree(kept, self.workspace, dirs_exist_ok=True)


def _filled(text: str, known: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: str(_value(found[1], known)), str(text))


def _true(expression: str, known: Mapping[str, str]) -> bool:
    return expression == "true" or bool(_value(expression, known))


def _value(expression: str, known: Mapping[str, str]) -> object:
    """Names, texts, `==`, `!=`, `&&`, `||` and brackets; a name that nothing has set is empty."""
    python = expression.replace("&&", " and ").replace("||", " or ")
    python = _NAME.sub(lambda one: one[0] if one[0][0] == "'" else repr(known.get(one[0], "")), python)
    return eval(python.strip(), {"__builtins__": {}})
