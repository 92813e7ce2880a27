"""Every error code, by a situation at the command line that leads to it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from support.postgres import serving as serving_postgres
from support.program import Ran, cwsync_process, cwsync_terminal
from support.projects import NIGHTLY, Project
from support.s3 import BUCKET, KEY, SECRET, Server, serving
from support.tenant import Tenant

from cwsync.errors import CODES, Exit
from cwsync.state import ABSENT, Intent, LocalStore, acquire

INTEGRATION = "/2/0/integrations/" + "?" * 32
STATE = ".cwsync/test.state.json"
DAILY = "{type: daily, time: 12:45, startDate: 2030-01-07, timezone: Greenwich}"
CLOSE = "integrations: {close: {processId: 118000000001}}\n"
POLICY = "policies: [{name: nothing-goes, forbid: [delete]}]\n"
S3 = "connections: {sales: {type: AmazonS3, bucketName: b, accessKeyId: {fromEnv: A}, secretAccessKey: {fromEnv: B}}}"


@dataclass(frozen=True)
class Scene:
    """The small project and its tenant, nothing of it applied."""

    project: Project
    tenant: Tenant
    set: Callable[[str, str], None]

    def run(self, *arguments: str) -> Ran:
        return self.project.run(*arguments)

    def apply(self) -> Ran:
        return self.project.run("apply", "--auto-approve")

    def process(self, *arguments: str, **environ: str) -> Ran:
        return cwsync_process(*arguments, folder=self.project.root, environ=environ)

    def refused(self, method: str, path: str, status: int, message: str | None = None) -> Ran:
        """An apply of a change to everything, of which one request is refused."""
        self.project.applied()
        self.project.replace("manifests/sales.yaml", "bucketName: landing", "bucketName: other")
        self.project.replace("manifests/close.yaml", "Month close", "Months close")
        said = {} if message is None else {"message": message}
        self.tenant.fault("status", method, path, None, status=status, retryAfter=0, **said)
        return self.apply()

    def without_flow(self) -> None:
        self.project.remove("manifests/nightly.yaml")

    def planned(self) -> None:
        """Everything is applied, and a change is planned in a.plan."""
        self.project.applied()
        self.project.replace("manifests/close.yaml", "Month close", "Months close")
        assert self.run("plan", "--out", "a.plan").status == 0


Situation = Callable[[Scene], Ran]


def manifest(text: str | bytes) -> Situation:
    """A manifest with this text, alone in the project."""

    def situation(scene: Scene) -> Ran:
        for name in ("sales", "close", "nightly"):
            scene.project.remove(f"manifests/{name}.yaml")
        content = text if isinstance(text, bytes) else text.encode()
        (scene.project.root / "manifests/one.yaml").write_bytes(content)
        return scene.run("validate")

    return situation


def more(text: str) -> Situation:
    """A manifest beside those of the project."""

    def situation(scene: Scene) -> Ran:
        scene.project.write("manifests/zz.yaml", text)
        return scene.run("validate")

    return situation


def settings(before: str, after: str) -> Situation:
    """A changed cwsync.yaml."""

    def situation(scene: Scene) -> Ran:
        scene.project.replace("cwsync.yaml", before, after)
        return scene.run("validate")

    return situation


def refused(method: str, path: str, status: int, message: str | None = None) -> Situation:
    return lambda scene: scene.refused(method, path, status, message)


def state_is(change: Callable[[dict[str, object]], object]) -> Situation:
    """A state that something else has changed."""

    def situation(scene: Scene) -> Ran:
        scene.project.applied()
        document = json.loads(scene.project.read(STATE))
        change(document)
        scene.project.write(STATE, json.dumps(document))
        return scene.run("plan")

    return situation


def stale(happens: Callable[[Scene], object]) -> Situation:
    def situation(scene: Scene) -> Ran:
        scene.planned()
        happens(scene)
        return scene.run("apply", "a.plan")

    return situation


def unformatted(scene: Scene) -> Ran:
    scene.project.write("manifests/zz.yaml", "flows:   {}\n")
    return scene.run("fmt", "--check")


def line_end_of_old(scene: Scene) -> Ran:
    scene.project.write("manifests/zz.yaml", "flows: {a: {name: 'x\u2028y'}}\n")
    return scene.run("fmt")


def drift_is_gone(scene: Scene) -> Ran:
    scene.project.applied()
    scene.tenant.edit("delete", "flow", name="Nightly load")
    return scene.run("drift", "--accept", "flow.nightly")


def drifted_on_github(scene: Scene) -> Ran:
    scene.project.applied()
    scene.tenant.edit("delete", "flow", name="Nightly load")
    return scene.run("drift", "--format", "github")


def no_project(scene: Scene) -> Ran:
    scene.project.remove("cwsync.yaml")
    return scene.run("validate")


def secret_missing(scene: Scene) -> Ran:
    scene.project.remove("secrets/secret")
    return scene.apply()


def certificate_unusable(scene: Scene) -> Ran:
    files = ["--certificate", "secrets/key", "--key", "secrets/secret"]
    return scene.run("auth", "payload", *files)


def authorities_missing(scene: Scene) -> Ran:
    return scene.process("plan", SSL_CERT_FILE="no/such/file.pem")


def password_wrong(scene: Scene) -> Ran:
    scene.tenant.fault("status", "POST", "/token/authenticate", status=401)
    return scene.run("plan")


def sign_in_fails(scene: Scene) -> Ran:
    scene.tenant.fault("status", "POST", "/token/authenticate", status=500, message="Out of order")
    return scene.run("auth", "check")


def page_instead_of_reply(scene: Scene) -> Ran:
    scene.tenant.fault("html", "GET", "/token/validate", status=404)
    return scene.run("auth", "check")


def list_incomplete(scene: Scene) -> Ran:
    scene.tenant.fault("status", "GET", "/2/0/integrations/connections", status=403)
    return scene.run("plan")


def not_known(scene: Scene) -> Ran:
    """The reply to a change is lost, and reading the tenant afterwards fails."""
    scene.project.applied()
    scene.project.replace("manifests/sales.yaml", "bucketName: landing", "bucketName: other")
    assert scene.run("plan", "--out", "a.plan").status == 0
    scene.tenant.fault("drop-before", "PUT", "/2/0/integrations/connections")
    scene.tenant.fault("status", "GET", "/2/0/integrations/connections", nth=3, status=403)
    ran = scene.apply()
    scene.tenant.mend()
    return ran


def changed_by_others(scene: Scene) -> Ran:
    """As before, and then somebody makes a third thing of it."""
    not_known(scene)
    scene.tenant.edit("update", "connection", name="Sales S3", body={"bucketName": "a third"})
    return scene.apply()


def tenant_full(scene: Scene) -> Ran:
    scene.tenant.edit("update", "tenant", body={"maxAllowed": 2})
    return scene.run("plan")


def service_pretends(scene: Scene) -> Ran:
    """The service says yes, and does nothing."""
    scene.project.applied()
    scene.project.replace("manifests/close.yaml", "Month close", "Months close")
    scene.tenant.fault("status", "PUT", INTEGRATION, status=200)
    return scene.apply()


def run_ends(outcome: str) -> Situation:
    def situation(scene: Scene) -> Ran:
        scene.project.applied()
        body = {"outcome": outcome, "seconds": 0}
        scene.tenant.edit("update", "outcome", name="Month close", body=body)
        return scene.run("run", "integration.close", "--wait")

    return situation


def runs_for_too_long(scene: Scene) -> Ran:
    scene.project.applied()
    scene.tenant.edit("update", "outcome", name="Month close", body={"seconds": 600})
    assert scene.run("run", "integration.close").status == 0
    return scene.run("destroy", "--auto-approve", "--wait-running=0.01")


def flow_cancelled(scene: Scene) -> Ran:
    scene.project.applied()
    return scene.run("cancel", "flow.nightly")


def locked(scene: Scene) -> Ran:
    scene.project.applied()
    store = LocalStore(scene.project.root / STATE)
    with acquire(store, tenant=json.loads(scene.project.read(STATE))["tenant"]):
        return scene.apply()


def state_taken_away(scene: Scene) -> Ran:
    """The command that gives a secret runs under the lock; this one deletes the state."""
    tamper = f"{{fromCommand: [sh, -c, 'rm {STATE}; echo made-up']}}"
    scene.project.replace("manifests/sales.yaml", "{fromFile: secrets/secret}", tamper)
    return scene.apply()


def edited_while_pending(scene: Scene) -> Ran:
    """The state is as a run leaves it that is cut off in the middle of a deletion."""
    scene.project.applied()
    store = LocalStore(scene.project.root / STATE)
    base = store.read()
    assert base is not None
    intent = Intent("r:1", "r", 1, "flow.nightly", "flow", "delete", "n", "absent", ABSENT, "2030-01-07")
    store.commit(base, base.with_intents([intent]))
    return scene.run("state", "rm", "flow.nightly")


def state_in_a_careless_bucket(scene: Scene) -> Ran:
    scene.set("AWS_ACCESS_KEY_ID", KEY)
    scene.set("AWS_SECRET_ACCESS_KEY", SECRET)
    scene.project.replace("cwsync.yaml", "  test:\n", f"  test:\n    state: s3://{BUCKET}/prod.json\n")
    with serving(Server(conditions=())) as s3:
        scene.set("AWS_ENDPOINT_URL", s3.url)
        return scene.apply()


def database_without_rights(scene: Scene) -> Ran:
    with serving_postgres() as postgres:
        place = postgres.url(role=postgres.role("public"))
        scene.project.replace("cwsync.yaml", "  test:\n", f"  test:\n    state: {place}\n")
        return scene.apply()


def state_moved_away(scene: Scene) -> Ran:
    scene.project.applied()
    assert scene.run("state", "migrate", "elsewhere.json").status == 0
    return scene.run("plan")


ENCRYPTION = "    encryption: {key: {fromEnv: CWSYNC_STATE_KEY}}\n"


def encrypted(scene: Scene) -> None:
    scene.set("CWSYNC_STATE_KEY", bytes(range(32)).hex())
    scene.set("OTHER_KEY", bytes(range(100, 132)).hex())
    scene.set("WEAK_KEY", "a" * 64)
    scene.project.write("cwsync.yaml", scene.project.read("cwsync.yaml") + ENCRYPTION)
    scene.project.applied()


def state_encrypted(before: str, after: str) -> Situation:
    """An encrypted state, and the settings of it changed."""

    def situation(scene: Scene) -> Ran:
        encrypted(scene)
        scene.project.replace("cwsync.yaml", before, after)
        return scene.run("plan")

    return situation


def older_encrypted_state(scene: Scene) -> Ran:
    encrypted(scene)
    older = scene.project.read(STATE)
    scene.project.applied()
    scene.project.write(STATE, older)
    return scene.run("plan")


def older_copy_put_back(scene: Scene) -> Ran:
    scene.project.applied()
    scene.project.write("copy.json", scene.run("state", "pull").out)
    assert scene.run("state", "rm", "flow.nightly").status == 0
    return scene.run("state", "push", "copy.json")


def key_too_short(scene: Scene) -> Ran:
    scene.project.applied()
    scene.set("CWSYNC_STATE_KEY", "short")
    return scene.run("plan")


def name_held(scene: Scene) -> Ran:
    scene.tenant.edit("create", "integration", body={"name": "Month close", "processId": "118000000009"})
    return scene.run("plan")


def deletion_forbidden(scene: Scene) -> Ran:
    protected = NIGHTLY.replace("name: Nightly load", "name: Nightly load, lifecycle: {preventDestroy: true}")
    scene.project.write("manifests/nightly.yaml", protected)
    scene.project.applied()
    return scene.run("destroy", "--auto-approve")


def policy_forbids(scene: Scene) -> Ran:
    scene.project.applied()
    scene.project.write("cwsync.yaml", scene.project.read("cwsync.yaml") + POLICY)
    return scene.run("destroy", "--auto-approve")


def too_many_deletions(scene: Scene) -> Ran:
    scene.project.applied()
    scene.project.write("cwsync.yaml", scene.project.read("cwsync.yaml") + "    guards: {maxDeletes: 1}\n")
    return scene.run("destroy", "--auto-approve")


def still_used(scene: Scene) -> Ran:
    scene.project.applied()
    (connection,) = (each["connectionId"] for each in scene.tenant.snapshot()["connections"])
    job = {
        "type": "AmazonS3ToAnaplan",
        "sources": [{"type": "AmazonS3", "connectionId": connection, "file": "a.csv"}],
        "targets": [{"type": "Anaplan", "actionId": "112000000005", "fileId": "113000000000"}],
    }
    scene.tenant.edit("create", "integration", body={"name": "Not ours", "jobs": [job]})
    return scene.run("destroy", "--auto-approve")


def foreign_connection(scene: Scene) -> Ran:
    lake = (
        "lake: {type: AzureBlob, storageAccountName: l, containerName: c, sasToken: {fromFile: secrets/key}}"
    )
    scene.project.write("manifests/lake.yaml", f"connections: {{{lake}}}")
    scene.project.applied()
    scene.tenant.edit("update", "connection", name="lake", body={"authMethod": "OAuth", "containerName": "x"})
    return scene.run("plan")


def reference_dangles(scene: Scene) -> Ran:
    scene.project.replace("manifests/sales.yaml", "connection: sales", "connection: {name: Not there}")
    return scene.run("plan")


def key_changed(scene: Scene) -> Ran:
    scene.project.applied()
    scene.project.replace("manifests/nightly.yaml", "  nightly:", "  every-night:")
    return scene.run("plan")


def grow_old(scene: Scene) -> None:
    document = json.loads(scene.project.read("a.plan"))
    document["created"] = (datetime.now(UTC) - timedelta(days=8)).isoformat()
    scene.project.write("a.plan", json.dumps(document))


def applied_elsewhere(scene: Scene) -> None:
    scene.project.replace("manifests/close.yaml", "Months close", "Month close")
    scene.project.applied()
    scene.project.replace("manifests/close.yaml", "Month close", "Months close")


def pending_since(scene: Scene) -> Ran:
    not_known(scene)
    return scene.run("apply", "a.plan")


def terminal(keys: str) -> Situation:
    return lambda scene: cwsync_terminal(
        "apply", folder=scene.project.root, keys=keys, after="Only yes is a yes [no]: "
    )


def broken_library(name: str, raises: str) -> Situation:
    """As where an installation lacks a package, or has one that does not work."""

    def situation(scene: Scene) -> Ran:
        scene.project.applied()
        scene.project.replace("manifests/close.yaml", "Month close", "Months close")
        scene.project.write(f"packages/{name}.py", f"raise {raises}\n")
        arguments = ["emulator", "--port", "0"] if name == "falcon" else ["plan"]
        return scene.process(*arguments, PYTHONPATH=str(scene.project.root / "packages"))

    return situation


def untold(scene: Scene) -> Ran:
    """The audit trail is to be where a folder is."""
    return scene.run("apply", "--auto-approve", "--audit", "manifests")


TABLE: dict[str, Situation] = {
    "CW101": manifest("name: é".encode("latin-1")),
    "CW102": manifest("flows: [\n"),
    "CW103": manifest("flows: {}\nflows: {}\n"),
    "CW104": manifest("a: " + "[" * 500),
    "CW105": manifest("a: !!python/name:os.system x"),
    "CW106": unformatted,
    "CW107": line_end_of_old,
    "CW110": no_project,
    "CW111": settings("version: 1", "version: 2"),
    "CW112": settings("environment: test", "environment: tset"),
    "CW113": more("flows: {x: {name: '${var.unknown}', steps: [{integration: accounts}, {integration: close}]}}"),
    "CW114": settings("version: 1", "version: 1\nvariables: {unused: x}"),
    "CW115": settings("version: 1", "version: 1\nmanifests: [nothing-here]"),
    "CW120": secret_missing,
    "CW121": manifest(S3.replace("{fromEnv: B}", "made-up")),
    "CW122": certificate_unusable,
    "CW201": more("flow: {}"),
    "CW202": more("integrations: {x: {jobs: [{import: {connection: sales}}]}}"),
    "CW203": more("integrations: {x: {nuxVisible: perhaps}}"),
    "CW204": more("flows: {x: {steps: [{integration: accounts}, {integration: clos}]}}"),
    "CW205": more(CLOSE),
    "CW206": more("flows: {Nightly Load: {}}"),
    "CW207": more("removed: [{address: integration.close}]"),
    "CW210": more(f"integrations: {{x: {{name: {'x' * 61}, processId: 118000000001}}}}"),
    "CW211": more("integrations: {x: {name: Month Close, processId: 118000000001}}"),
    "CW220": more("integrations: {x: {jobs: []}}"),
    "CW221": more("integrations: {x: {jobs: [{import: {connection: sales, table: t, actionId: 112000000005, "
                  "fileId: 113000000000}}]}}"),
    "CW230": more("schedules: {close: {type: hourly, repeatEvery: 1, fromTime: 09:00, toTime: 08:00, "
                  "daysOfWeek: [mon], startDate: 2030-01-07, timezone: Greenwich}}"),
    "CW231": more(f"schedules: {{close: {DAILY.replace('Greenwich', 'Grenwich')}}}"),
    "CW232": more(f"schedules: {{close: {DAILY.replace('}', ', endDate: 2029-01-01}')}}}"),
    "CW233": more(f"schedules: {{again: {DAILY.replace('}', ', integration: accounts}')}}}"),
    "CW240": more("notifications: {close: {channels: [email], notify: {}}}"),
    "CW250": more("flows: {x: {steps: [{integration: accounts}, {integration: accounts}]}}"),
    "CW260": settings("defaults:\n", "defaults:\n  connections: {workspaceId: 8a81b09d5e8c6f27015ece3402487d34}\n"),
    "CW301": authorities_missing,
    "CW302": password_wrong,
    "CW303": refused("PUT", INTEGRATION, 403, "Not Permitted"),
    "CW304": refused("PUT", INTEGRATION, 404, "Resource not found"),
    "CW305": refused("PUT", INTEGRATION, 400, "Invalid request body"),
    "CW306": refused("PUT", INTEGRATION, 409, "Integration is already running"),
    "CW307": refused("PUT", INTEGRATION, 400, "Duplicate resource name not allowed"),
    "CW308": refused("PUT", INTEGRATION, 409, "The resource is being referenced"),
    "CW309": refused("PUT", INTEGRATION, 429),
    "CW310": sign_in_fails,
    "CW311": page_instead_of_reply,
    "CW312": list_incomplete,
    "CW313": not_known,
    "CW314": tenant_full,
    "CW315": service_pretends,
    "CW320": run_ends("failure"),
    "CW321": run_ends("partial_success"),
    "CW322": flow_cancelled,
    "CW401": state_is(lambda document: document.pop("serial")),
    "CW402": state_is(lambda document: document.update(version=99)),
    "CW403": state_is(lambda document: document.update(tenant="https://other.example.com/2/0")),
    "CW404": locked,
    "CW405": state_taken_away,
    "CW406": key_too_short,
    "CW407": edited_while_pending,
    "CW408": older_copy_put_back,
    "CW409": state_in_a_careless_bucket,
    "CW410": state_moved_away,
    "CW411": state_encrypted(ENCRYPTION, ""),
    "CW412": state_encrypted("CWSYNC_STATE_KEY", "OTHER_KEY"),
    "CW413": older_encrypted_state,
    "CW414": state_encrypted("CWSYNC_STATE_KEY", "WEAK_KEY"),
    "CW415": database_without_rights,
    "CW501": name_held,
    "CW502": deletion_forbidden,
    "CW503": too_many_deletions,
    "CW504": still_used,
    "CW505": reference_dangles,
    "CW506": foreign_connection,
    "CW507": lambda scene: scene.run("state", "show", "flow.nightly"),
    "CW509": lambda scene: scene.run("import", f"integration.close={'5' * 32}"),
    "CW510": lambda scene: scene.run("show", "cwsync.yaml"),
    "CW511": stale(applied_elsewhere),
    "CW512": stale(lambda scene: scene.project.replace("manifests/close.yaml", "Months", "Years")),
    "CW513": stale(lambda scene: scene.tenant.edit("delete", "integration", name="Month close")),
    "CW514": stale(grow_old),
    "CW515": pending_since,
    "CW516": key_changed,
    "CW520": drift_is_gone,
    "CW521": drifted_on_github,
    "CW530": policy_forbids,
    "CW540": runs_for_too_long,
    "CW544": untold,
    "CW601": lambda scene: scene.refused("PUT", "/2/0/integrations/connections", 400, "Invalid request body"),
    "CW602": lambda scene: scene.run("apply"),
    "CW603": terminal("no\n"),
    "CW604": terminal("\x03"),
    "CW605": changed_by_others,
    "CW606": lambda scene: scene.run("recover", "flow.nightly", "--retry"),
    "CW701": broken_library("falcon", "ModuleNotFoundError('made up', name='falcon')"),
    "CW702": lambda scene: scene.run("emulator", "--data", "cwsync.yaml"),
    "CW901": lambda scene: scene.run("plan", "--what"),
    "CW999": broken_library("deepdiff", "RuntimeError('needle')"),
}  # fmt: skip

# Warnings leave the status alone; of several requests some went well.
STATUS = {
    "CW114": Exit.OK,
    "CW315": Exit.OK,
    "CW516": Exit.OK,
    **dict.fromkeys(("CW303", "CW304", "CW305", "CW306", "CW307", "CW308", "CW309"), Exit.PARTLY_APPLIED),
}


@pytest.fixture
def scene(tenant: Tenant, project: Project, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(project, tenant, monkeypatch.setenv)


def test_every_code_is_here() -> None:
    assert set(TABLE) == set(CODES)


@pytest.mark.parametrize("code", TABLE)
def test_code(code: str, scene: Scene) -> None:
    ran = TABLE[code](scene)
    assert re.search(rf"(^|[\s\x1b\[\dm=]){code}\b", ran.all, re.MULTILINE), ran.all
    assert ran.status == STATUS.get(code, CODES[code][0]), ran.all
    assert "Traceback" not in ran.all
    assert "needle" not in ran.all
