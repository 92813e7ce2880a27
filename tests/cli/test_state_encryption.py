"""An encrypted state, at the command line: switching on, changing keys, what is refused, and the ways back."""

from __future__ import annotations

import base64
import getpass
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.program import Ran, command, cwsync
from support.projects import CLOSE, NIGHTLY, SALES, SECRETS, SETTINGS, Project
from support.s3 import BUCKET, KEY, SECRET, Server, serving
from unit.state.holding import Time

from cwsync.cli.outside import Outside
from cwsync.state import Files

STATE = ".cwsync/test.state.json"
SEEN = ".cwsync/test.seen.json"
REMOTE = f"s3://{BUCKET}/team/test.state.json"
OBJECT = f"/{BUCKET}/team/test.state.json"
ONE, TWO = (base64.b64encode(bytes(range(start, start + 32))).decode() for start in (1, 101))
OLD = "{key: {fromEnv: NEW_KEY}, previous: {fromEnv: CWSYNC_STATE_KEY}}"
NEW = "{key: {fromEnv: NEW_KEY}}"


class Encrypted:
    """The project, its settings of encryption, and its keys in the environment."""

    def __init__(self, project: Project, environ: pytest.MonkeyPatch) -> None:
        self.project = project
        self._environ = environ

    def run(self, *arguments: str) -> Ran:
        ran = self.project.run(*arguments)
        assert not [key for key in (ONE, TWO) if key in ran.all]
        return ran

    def apply(self) -> Ran:
        return self.run("apply", "--auto-approve")

    def plan(self) -> Ran:
        return self.run("plan", "--detailed-exitcode")

    def setting(self, name: str, value: str | None) -> None:
        lines = [line for line in self.project.read("cwsync.yaml").splitlines() if f"    {name}:" not in line]
        more = [] if value is None else [f"    {name}: {value}"]
        at = lines.index("  test:") + 1
        self.project.write("cwsync.yaml", "\n".join([*lines[:at], *more, *lines[at:]]) + "\n")

    def encryption(self, value: str | None) -> None:
        self.setting("encryption", value)

    def key(self, text: str | None, name: str = "CWSYNC_STATE_KEY") -> None:
        if text is None:
            self._environ.delenv(name)
        else:
            self._environ.setenv(name, text)

    @property
    def stored(self) -> bytes:
        return (self.project.root / STATE).read_bytes()

    @stored.setter
    def stored(self, data: bytes) -> None:
        (self.project.root / STATE).write_bytes(data)

    def rename(self, name: str) -> None:
        """A change to apply."""
        text = self.project.read("manifests/close.yaml")
        old = text.partition("name: ")[2].partition(",")[0]
        self.project.replace("manifests/close.yaml", old, name)


def embedded(folder: Path) -> Project:
    """The small project, on the emulator within cwsync."""
    project = Project(folder)
    settings = SETTINGS.format(url="URL").splitlines()
    kept = [line for line in settings if not line.strip().startswith(("auth:", "authenticate:"))]
    project.write("cwsync.yaml", "\n".join(kept).replace("URL/2/0", "emulator") + "\n")
    for name, text in {"sales": SALES, "close": CLOSE, "nightly": NIGHTLY}.items():
        project.write(f"manifests/{name}.yaml", text)
    for name, text in SECRETS.items():
        project.write(f"secrets/{name}", text)
    return project.applied()


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything applied, the state in clear."""
    return embedded(tmp_path_factory.mktemp("applied")).root


@pytest.fixture
def project(applied: Path, tmp_path: Path) -> Project:
    return Project(Path(shutil.copytree(applied, tmp_path / "project")))


@pytest.fixture
def clear(project: Project, monkeypatch: pytest.MonkeyPatch) -> Encrypted:
    """Everything applied; the state is to be encrypted from now on."""
    made = Encrypted(project, monkeypatch)
    made.key(ONE)
    made.encryption("true")
    return made


@pytest.fixture
def encrypted(clear: Encrypted) -> Encrypted:
    """Everything applied, the state encrypted."""
    assert clear.apply().status == 0
    return clear


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    with serving(Server()) as server:
        names = {"ACCESS_KEY_ID": KEY, "SECRET_ACCESS_KEY": SECRET, "ENDPOINT_URL": server.url}
        for name, value in names.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        yield server


def refused(ran: Ran, code: str, *says: str) -> None:
    assert ran.status == 1, ran.all
    for word in (code, *says):
        assert word in ran.err, ran.all


def in_clear(data: bytes) -> list[str]:
    """What may only be read by whoever has the key."""
    words = (
        "Sales S3", "Accounts import", "Month close", "Nightly load", "landing", "112000000005", "flow.nightly",
        "schedule.accounts", "8a81b09d5e8c6f27015ece3402487d33", "2c9ba1b6729b7fd80172c3f635db40f7", "emulator:",
        getpass.getuser() + '"', "fingerprint", ONE, TWO, *SECRETS.values(),
    )  # fmt: skip
    return [word for word in words if word.encode() in data]


def test_what_is_written_is_for_nobody_without_the_key(encrypted: Encrypted) -> None:
    written = {path.name: path.read_bytes() for path in (encrypted.project.root / ".cwsync").iterdir()}
    for own in ("key", "test.emulator.db"):
        written.pop(own, None)
    assert {"test.state.json", "test.seen.json"} <= {*written}
    assert {name: found for name, data in written.items() if (found := in_clear(data))} == {}
    assert encrypted.plan().status == 0
    assert len(json.loads(encrypted.run("state", "list", "--format", "json").out)) == 6
    assert encrypted.run("drift").status == 0
    pulled = encrypted.run("state", "pull").out
    assert len(in_clear(pulled.encode())) > 10  # the same search does find them there


def test_switching_on_takes_one_apply(clear: Encrypted) -> None:
    made = clear
    assert b"Nightly load" in made.stored
    planned = made.plan()
    assert planned.status == 0
    assert planned.err.count("is not encrypted yet") == 1
    assert b"Nightly load" in made.stored
    assert made.apply().status == 0
    assert b"Nightly load" not in made.stored
    assert "encrypted" not in made.plan().err


def test_what_is_missing_is_named(encrypted: Encrypted) -> None:
    encrypted.key(None)
    for arguments in (["plan"], ["apply", "--auto-approve"], ["state", "list"], ["state", "pull"]):
        refused(encrypted.run(*arguments), "CW120", "CWSYNC_STATE_KEY")
    assert encrypted.run("validate").status == 0
    encrypted.key(TWO)
    refused(encrypted.plan(), "CW412", "another key", "previous")
    encrypted.key("a" * 64)
    refused(encrypted.plan(), "CW414", "the environment variable CWSYNC_STATE_KEY", "openssl rand -base64 32")
    encrypted.encryption(None)
    encrypted.key(ONE)
    refused(encrypted.plan(), "CW411", "encryption: {key: {fromEnv: CWSYNC_STATE_KEY}}")


@pytest.mark.parametrize("value", ["{}", "yes", "{key: secret}", "{keys: {fromEnv: A}}", "[true]"])
def test_settings_that_mean_nothing_are_refused(encrypted: Encrypted, value: str) -> None:
    encrypted.encryption(value)
    ran = encrypted.run("validate")
    assert ran.status == 1
    assert "cwsync.yaml:" in ran.err
    assert "secret" not in ran.err.replace("a secret", "")


@pytest.mark.parametrize("name", ["lineage", "serial", "writerNonce", "nonce", "data"])
def test_a_state_that_somebody_has_changed_is_refused(encrypted: Encrypted, name: str) -> None:
    document = json.loads(encrypted.stored)
    changed = document[name] + 1 if name == "serial" else document[name][:-6] + "AAAAAA"
    encrypted.stored = json.dumps({**document, name: changed}).encode()
    for arguments in (["plan"], ["apply", "--auto-approve"], ["state", "pull"]):
        refused(encrypted.run(*arguments), "CW413", "somebody without the key", "cwsync state push")


def test_of_a_copy_nothing_is_told_that_is_about_what_is_stored(encrypted: Encrypted) -> None:
    """No command changes the copy: it stays as it is."""
    encrypted.project.write("copy.json", encrypted.run("state", "pull").out)
    (encrypted.project.root / "version.json").write_bytes(encrypted.stored)
    pushed = encrypted.run("state", "push", "--force", "copy.json")
    assert (pushed.status, "copy.json" in pushed.all) == (0, False), pushed.all
    encrypted.key(TWO, "NEW_KEY")
    encrypted.encryption(OLD)
    again = encrypted.run("state", "push", "--force", "version.json")
    assert again.status == 0, again.all
    assert "version.json" not in again.all
    assert again.err.count("is encrypted with the previous key") == 1  # of what is stored


def test_a_damaged_state_is_put_back(encrypted: Encrypted) -> None:
    encrypted.project.write("copy.json", encrypted.run("state", "pull").out)
    encrypted.stored = encrypted.stored[:-20] + b'AAAAAAAAAAAA"\n}\n'
    refused(encrypted.run("state", "push", "copy.json"), "CW41")
    (encrypted.project.root / STATE).unlink()
    assert encrypted.run("state", "push", "copy.json").status == 0
    assert b"Nightly" not in encrypted.stored
    assert encrypted.plan().status == 0


def test_the_key_is_changed_in_two_steps(encrypted: Encrypted) -> None:
    encrypted.key(TWO, "NEW_KEY")
    encrypted.encryption(OLD)
    planned = encrypted.plan()
    assert planned.status == 0
    assert "the previous key" in planned.err
    assert encrypted.apply().status == 0
    assert "the previous key" not in encrypted.plan().err
    encrypted.encryption(NEW)
    encrypted.key(None)
    assert encrypted.run("state", "list").status == 0
    encrypted.key(ONE)
    encrypted.encryption("true")
    refused(encrypted.plan(), "CW412")


def test_a_command_gives_the_key(encrypted: Encrypted) -> None:
    encrypted.project.write("key.txt", ONE + "\n")
    encrypted.key(None)
    print_it = "import pathlib; print(pathlib.Path('key.txt').read_text())"
    encrypted.encryption(f'{{key: {{fromCommand: [{sys.executable}, -c, "{print_it}"]}}}}')
    assert encrypted.plan().status in (0, 2)
    encrypted.encryption("{key: {fromFile: key.txt}}")
    assert encrypted.run("state", "list").status == 0


def test_an_older_state_is_refused_until_a_person_decides(encrypted: Encrypted) -> None:
    older, copy = encrypted.stored, encrypted.run("state", "pull").out
    encrypted.project.write("older.json", copy)
    encrypted.rename("Months close")
    assert encrypted.apply().status == 0
    encrypted.project.write("newest.json", encrypted.run("state", "pull").out)
    newest = encrypted.stored
    for arguments in (
        ["plan"],
        ["apply", "--auto-approve"],
        ["drift"],
        ["state", "list"],
        ["state", "mv", "flow.nightly", "flow.a"],
    ):
        encrypted.stored = older
        refused(encrypted.run(*arguments), "CW413", "an older one", "cwsync state push")
    assert encrypted.stored == older
    refused(encrypted.run("state", "push", "older.json"), "CW408", "--force")
    assert encrypted.stored == older
    done = encrypted.run("state", "push", "newest.json")
    assert done.status == 0, done.all
    assert encrypted.plan().status == 0
    encrypted.stored = newest  # also what was the newest until then is older now
    refused(encrypted.plan(), "CW413")


def test_an_older_state_is_taken_by_force(encrypted: Encrypted) -> None:
    older = encrypted.stored
    encrypted.rename("Months close")
    assert encrypted.apply().status == 0
    encrypted.stored = older
    encrypted.project.write("copy.json", encrypted.run("state", "pull").out)
    assert encrypted.run("state", "push", "--force", "copy.json").status == 0
    assert encrypted.plan().status == 0
    assert encrypted.apply().status == 0
    encrypted.stored = older
    refused(encrypted.plan(), "CW413")


def test_an_older_version_of_the_file_is_a_copy_too(encrypted: Encrypted) -> None:
    (encrypted.project.root / "version.json").write_bytes(encrypted.stored)
    assert encrypted.run("state", "rm", "flow.nightly").status == 0
    refused(encrypted.run("state", "push", "version.json"), "CW408")
    assert encrypted.run("state", "push", "--force", "version.json").status == 0
    assert encrypted.plan().status == 0


def test_a_state_in_clear_is_refused_once_it_was_encrypted(encrypted: Encrypted) -> None:
    copy = encrypted.run("state", "pull").out
    encrypted.project.write("copy.json", copy)
    encrypted.stored = copy.replace("Nightly load", "Other").encode()
    refused(encrypted.plan(), "CW413", "is not encrypted any more")
    refused(encrypted.apply(), "CW413")
    assert encrypted.run("state", "push", "copy.json").status == 0
    assert b"Nightly" not in encrypted.stored
    assert encrypted.plan().status == 0


def test_in_clear_an_older_state_is_nobodys_business(encrypted: Encrypted) -> None:
    encrypted.encryption("{previous: {fromEnv: CWSYNC_STATE_KEY}}")
    assert encrypted.apply().status == 0
    older = encrypted.stored
    assert encrypted.apply().status == 0
    encrypted.stored = older
    assert encrypted.plan().status == 0


def test_switching_off_takes_one_apply(encrypted: Encrypted) -> None:
    encrypted.encryption("{previous: {fromEnv: CWSYNC_STATE_KEY}}")
    planned = encrypted.plan()
    assert planned.status == 0
    assert "is still encrypted" in planned.err
    assert encrypted.apply().status == 0
    assert b"Nightly load" in encrypted.stored
    assert not (encrypted.project.root / SEEN).exists()
    encrypted.encryption("false")
    assert encrypted.plan().status == 0
    encrypted.encryption("true")  # and on again
    assert encrypted.apply().status == 0
    assert b"Nightly load" not in encrypted.stored


def test_edits_by_hand_stay_encrypted(encrypted: Encrypted) -> None:
    assert encrypted.run("state", "mv", "flow.nightly", "flow.other").status == 0
    assert "Nightly load" in encrypted.run("state", "show", "flow.other").out
    encrypted.project.write("copy.json", encrypted.run("state", "pull").out)
    assert encrypted.run("state", "rm", "flow.other").status == 0
    assert encrypted.run("state", "push", "--force", "copy.json").status == 0
    assert encrypted.run("state", "mv", "flow.other", "flow.nightly").status == 0
    assert b"Nightly load" not in encrypted.stored
    assert encrypted.plan().status == 0


def test_a_saved_plan_holds_for_an_encrypted_state(encrypted: Encrypted) -> None:
    encrypted.rename("Months close")
    assert encrypted.run("plan", "--out", "a.plan").status == 0
    assert encrypted.run("apply", "a.plan").status == 0
    assert encrypted.run("apply", "a.plan").status == 3


def test_moving_encrypts_and_goes_on_encrypted(clear: Encrypted, s3: Server) -> None:
    made = clear
    moved = made.run("state", "migrate", REMOTE)
    assert moved.status == 0, moved.all
    assert b"Nightly load" not in s3.objects[OBJECT]
    assert b"Nightly load" not in made.stored
    refused(made.plan(), "CW410")
    made.setting("state", REMOTE)
    assert made.plan().status == 0
    assert made.run("state", "migrate", STATE).status == 0
    made.setting("state", None)
    assert made.plan().status == 0
    assert made.apply().status == 0


def test_a_bucket_holds_it_as_well(clear: Encrypted, s3: Server) -> None:
    made, project = clear, clear.project
    (project.root / STATE).unlink()
    (project.root / ".cwsync/test.emulator.db").unlink()
    made.setting("state", REMOTE)
    s3.faults = [*[""] * 4, "drop", "500", "500 after"]
    clock = Outside(clock=Time(2030).clock)
    ran = cwsync("apply", "--auto-approve", folder=project.root, outside=clock)
    assert ran.status == 0, ran.all
    older = s3.objects[OBJECT]
    assert in_clear(older) == []
    made.rename("Months close")
    assert made.apply().status == 0
    s3.objects[OBJECT] = older
    refused(made.plan(), "CW413", REMOTE)
    (project.root / SEEN).unlink()  # another machine, which has not seen the newer one, cannot know
    assert made.plan().status == 0


class Killed(BaseException):
    """The process ends here."""


class Dying(Files):
    """Real files, until the given write."""

    def __init__(self, at: int) -> None:
        self._left = at

    def replace(self, source: Path, target: Path) -> None:
        self._left -= 1
        if self._left < 0:
            raise Killed
        super().replace(source, target)


@pytest.mark.parametrize("at", range(5))
def test_a_run_that_was_killed_is_cleared_up_after(encrypted: Encrypted, at: int) -> None:
    time = Time(2030)
    encrypted.rename("Months close")
    encrypted.project.replace("manifests/sales.yaml", "landing", "elsewhere")
    with pytest.raises(Killed):
        cwsync(
            "apply",
            "--auto-approve",
            folder=encrypted.project.root,
            outside=Outside(files=Dying(at), clock=time.clock),
        )
    again = Outside(clock=time.clock)
    ran = cwsync(
        "apply", "--auto-approve", "--lock-timeout", "300", folder=encrypted.project.root, outside=again
    )
    assert ran.status == 0, ran.all
    assert encrypted.plan().status == 0


def test_a_process_that_is_killed_leaves_a_lock_that_heals(encrypted: Encrypted) -> None:
    encrypted.rename("Months close")
    script = """
import os, sys
from cwsync.cli import run
from cwsync.cli.outside import Outside
from cwsync.state import Files
class Ending(Files):
    count = 0
    def replace(self, source, target):
        super().replace(source, target)
        Ending.count += 1
        if Ending.count == 2:
            os._exit(9)
run(("apply", "--auto-approve"), Outside(files=Ending()))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=encrypted.project.root, capture_output=True, check=False
    )
    assert done.returncode == 9, done.stderr
    listed = encrypted.run("state", "list")
    assert "pending: update of integration.close" in listed.err
    assert encrypted.run("unlock").status == 4
    next_run = Outside(clock=Time(2030).clock)
    ran = cwsync("apply", "--auto-approve", folder=encrypted.project.root, outside=next_run)
    assert ran.status == 0, ran.all
    assert encrypted.plan().status == 0


def test_two_processes_do_not_get_in_each_others_way(encrypted: Encrypted) -> None:
    both = [
        subprocess.Popen(
            command("apply", "--auto-approve", "--lock-timeout", "30"), cwd=encrypted.project.root,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in both:
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0, out
    assert encrypted.plan().status == 0


def test_a_key_that_is_not_random_is_not_shown(encrypted: Encrypted) -> None:
    weak = "needle-" + secrets.token_hex(8)
    encrypted.key(weak)
    ran = encrypted.run("plan", "-v")
    refused(ran, "CW414")
    assert weak not in ran.all
