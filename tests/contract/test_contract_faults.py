"""What cwsync does under each fault, as tables: with which request it happens, how often the service is
asked, what is told, the exit status, and what the next run does.

The faults are those of the emulator (CONTRACT section 6), over HTTP and through the command line. Rows in
which cwsync waits for long are driven through its rooms, by a clock that stands still but for those who sleep.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from contract.faulty import CROWD, LISTS, READ_WITH, Scene, Time, Told
from support.tenant import Tenant, served
from unit.apply.rig import ALICE, Manifest, Rig, azure, daily, flow, imports, notify, process, s3

from cwsync.api import ServiceError
from cwsync.errors import exit_status
from cwsync.live import Reads, read_tenant

Fault = dict[str, Any]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of what whoever runs the tests has set for cwsync, or for proxies."""
    for name in os.environ:
        if name.startswith("CWSYNC_") or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)


# --- Reading, through `plan` and `apply` ----------------------------------------------------------------------
#
# `asked` is how often the faulty thing is read: a list of two pages where its first page is hit, the same
# where its second page is hit, and one detail. None: there is no such fault of it.
# `read` says whether the picture is whole in the end. Then plan and its digest are those of an undisturbed
# run. Else: CW312, exit status 1, nothing planned for what is read with it, and nothing sent by an apply; the
# next plan, without the fault, is the undisturbed one again. Rows take turns with the kinds, `everywhere` ones
# hit all of them.

DETAILED = ("integration", "flow", "notification")
ONCE = {"times": 1}


@dataclass(frozen=True)
class Read:
    fault: Fault
    asked: tuple[int | None, int | None, int | None]
    read: bool
    everywhere: bool = False


READS = {
    # the fault, how often it is asked (first page, later page, detail), and whether all could be read
    "no reply, once": Read({"do": "drop-before", **ONCE}, (3, 3, 2), True),
    "no reply though it was read, once": Read({"do": "drop-after", **ONCE}, (3, 3, 2), True),
    "no reply in time, once": Read({"do": "late", "delayMs": 20, **ONCE}, (3, 3, 2), True),
    "half a reply, once": Read({"do": "truncate", **ONCE}, (3, 3, 2), True),
    "a gateway's page, once": Read({"do": "html", **ONCE}, (3, 3, 2), True),
    "a page in place of JSON, once": Read({"do": "html", "status": 200, **ONCE}, (3, 3, 2), True),
    "500 that says nothing, once": Read({"do": "status", **ONCE}, (3, 3, 2), True),
    "503, once": Read({"do": "status", "status": 503, **ONCE}, (3, 3, 2), True),
    "504, once": Read({"do": "status", "status": 504, **ONCE}, (3, 3, 2), True),
    "429 with Retry-After, once": Read({"do": "status", "status": 429, "retryAfter": 0, **ONCE}, (3, 3, 2), True),
    "429 with Retry-After, each time": Read({"do": "status", "status": 429, "retryAfter": 0}, (6, 7, 6), False),
    "401, once": Read({"do": "status", "status": 401, **ONCE}, (3, 3, 2), True),
    "401, each time": Read({"do": "status", "status": 401}, (2, 3, 2), False),
    "403": Read({"do": "status", "status": 403, **ONCE}, (1, 2, 1), False, everywhere=True),
    "404, from the service": Read({"do": "status", "status": 404, **ONCE}, (1, 2, 1), False),
    "404, from a gateway": Read({"do": "html", "status": 404, **ONCE}, (1, 2, 1), False),
    "500 that says why": Read({"do": "status", "message": "It broke", **ONCE}, (1, 2, 1), False),
    "a redirection": Read({"do": "html", "status": 302, **ONCE}, (1, 2, 1), False),
    "a reply in drips": Read({"do": "drip", "bytes": 20_000, "delayMs": 1}, (2, 2, 1), True),
    "totals that differ, once": Read({"do": "miscount", **ONCE}, (4, 4, None), True),
    "a total that is too great": Read({"do": "miscount"}, (6, None, None), False),
    "a total that is too small": Read({"do": "miscount", "by": -1}, (4, None, None), False, everywhere=True),
    "an entry that goes meanwhile, once": Read({"do": "shift", **ONCE}, (None, 4, None), True),
    "entries that go each time": Read({"do": "shift"}, (None, 4, None), False, everywhere=True),
    "entries that come each time": Read({"do": "shift", "by": -1}, (None, 4, None), False),
    "entries that come twice": Read({"do": "repeat", "by": 5}, (None, 2, None), True),
}  # fmt: skip

BEFORE: Manifest = {
    "connections": {"sales": s3()},
    "integrations": {"accounts": imports("sales"), "close": process()},
    "schedules": {"accounts": daily(), "close": daily()},
    "notifications": {"accounts": notify(success=[ALICE]), "close": notify(full_failure=[ALICE])},
    "flows": {"nightly": flow("accounts", "close")},
}
# Of each kind something is created and changed, and of those that nothing may use something is deleted.
AFTER: Manifest = {
    "connections": {"sales": s3(bucketName="other"), "lake": azure()},
    "integrations": {
        "accounts": imports("sales", file="b.csv"),
        "close": process(),
        "open": process("Open"),
    },
    "schedules": {"accounts": daily(time="13:00"), "open": daily()},
    "notifications": {"accounts": notify(success=[ALICE], full_failure=[ALICE]), "open": notify(success=[ALICE])},
    "flows": {"weekly": flow("accounts", "open", name="Weekly")},
}  # fmt: skip


@dataclass(frozen=True)
class Undisturbed:
    """The scene of all reads, and the plan as it is without a fault."""

    scene: Scene
    plan: Told
    details: dict[str, str]


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    with served() as tenant:
        scene = Scene.set(tenant, tmp_path_factory.mktemp("reading"), theirs=CROWD)
        scene.declare(BEFORE)
        assert scene.apply().ran.status == 0
        scene.declare(AFTER)
        notification = next(
            path for one in scene.plan().asked if "/notification/" in (path := one.partition(" ")[2])
        )
        details = {
            "integration": f"/2/0/integrations/{scene.id_of('integration.accounts')}",
            "notification": notification,
            "flow": f"/2/0/integrationflows/{scene.id_of('flow.nightly')}",
        }
        plan = scene.plan()
        assert plan.ran.status == 0
        yield Undisturbed(scene, plan, details)


def _read_places() -> list[tuple[str, str, str, int]]:
    """What each row is held against: the row, a kind, which of its reads, and how often that is made."""
    places = []
    for turn, (fault, row) in enumerate(READS.items()):
        for which, asked in zip(("first", "later", "detail"), row.asked, strict=True):
            kinds = [*(DETAILED if which == "detail" else LISTS)]
            hit = kinds if row.everywhere else [kinds[turn % len(kinds)]]
            # A pointer to a notification may lead nowhere: then there is none (facts A5).
            hit = ["flow" if (fault[:3], kind) == ("404", "notification") else kind for kind in hit]
            places += [(fault, kind, which, asked) for kind in hit if asked is not None]
    return places


def _from(nth: int, fault: Fault) -> Fault:
    """From the nth request on: once, or each time."""
    return {"nth": nth, "times": 1000, **fault}


@pytest.mark.parametrize(("fault", "kind", "which", "asked"), _read_places())
def test_a_read_that_goes_wrong(reading: Undisturbed, fault: str, kind: str, which: str, asked: int) -> None:
    scene, row = reading.scene, READS[fault]
    path = reading.details[kind] if which == "detail" else LISTS[kind]
    before = scene.resources()

    def spoiled(*arguments: str) -> Told:
        scene.tenant.fault(method="GET", path=path, **_from(2 if which == "later" else 1, row.fault))
        told = scene.run(*arguments)
        scene.tenant.mend()
        return told

    plan = spoiled("plan")
    assert plan.times("GET", path) == asked
    if row.read:
        assert (plan.ran.status, plan.codes, plan.digest) == (0, [], reading.plan.digest)
        return
    assert (plan.ran.status, plan.codes) == (1, ["CW312"])
    missing = READ_WITH[kind]
    assert not missing & {one["address"].partition(".")[0] for one in plan.document["resource_changes"]}
    apply = spoiled("apply", "--auto-approve")
    assert (apply.ran.status, apply.codes, apply.sent) == (1, ["CW312"], [])
    assert scene.resources() == before
    assert scene.plan().digest == reading.plan.digest


# --- Signing in, through `plan` -------------------------------------------------------------------------------
#
# How often the request is made, what is told, and the exit status. Nothing is read of CloudWorks with status 1.

AUTHENTICATE, VALIDATE = "/token/authenticate", "/token/validate"
SIGN_INS: dict[str, tuple[Fault, str, int, list[str], int]] = {
    "no reply, once": ({"do": "drop-before", **ONCE}, AUTHENTICATE, 2, [], 0),
    "half a reply, once": ({"do": "truncate", **ONCE}, AUTHENTICATE, 2, [], 0),
    "a gateway's page, once": ({"do": "html", **ONCE}, AUTHENTICATE, 2, [], 0),
    "a page in place of JSON, once": ({"do": "html", "status": 200, **ONCE}, AUTHENTICATE, 2, [], 0),
    "500 that says nothing, once": ({"do": "status", **ONCE}, AUTHENTICATE, 2, [], 0),
    "500 that says why": ({"do": "status", "message": "It broke"}, AUTHENTICATE, 1, ["CW310"], 1),
    "429 with Retry-After, once": ({"do": "status", "status": 429, "retryAfter": 0, **ONCE}, AUTHENTICATE, 2, [], 0),
    "429 each time": ({"do": "status", "status": 429, "retryAfter": 0}, AUTHENTICATE, 6, ["CW309"], 1),
    "refused by 400": ({"do": "status", "status": 400}, AUTHENTICATE, 1, ["CW302"], 1),
    "refused by 401": ({"do": "status", "status": 401}, AUTHENTICATE, 1, ["CW302"], 1),
    "refused by 403": ({"do": "status", "status": 403}, AUTHENTICATE, 1, ["CW302"], 1),
    "whose token it is: no reply, once": ({"do": "drop-before", **ONCE}, VALIDATE, 2, [], 0),
    "whose token it is: 500 that says why": ({"do": "status", "message": "It broke"}, VALIDATE, 1, [], 0),
    "whose token it is: 404": ({"do": "html", "status": 404}, VALIDATE, 1, [], 0),
    "whose token it is: refused": ({"do": "status", "status": 401}, VALIDATE, 1, ["CW302"], 1),
}  # fmt: skip


@pytest.mark.parametrize("row", SIGN_INS)
def test_a_sign_in_that_goes_wrong(reading: Undisturbed, row: str) -> None:
    scene = reading.scene
    fault, path, asked, codes, status = SIGN_INS[row]
    method = "GET" if path == VALIDATE else "POST"
    scene.tenant.fault(method=method, path=path, **_from(1, fault))
    plan = scene.plan()
    scene.tenant.mend()
    assert plan.times(method, path) == asked
    assert (plan.ran.status, plan.codes) == (status, codes)
    if status:
        assert plan.times("GET", "/2/0/*") == 0
    else:
        assert plan.digest == reading.plan.digest


# --- Reading, where the service stays as it is: through the rooms ---------------------------------------------
#
# How often the list is asked for, how many seconds are waited (least, most), and what is told in the end. After a
# 429 a request also waits for its turn, at the pace that the 429 has taught: parts of a second.

STUBBORN: dict[str, tuple[Fault, int, tuple[int, int], str | None]] = {
    "no reply": ({"do": "drop-before"}, 6, (7, 24), "CW301"),
    "half a reply": ({"do": "truncate"}, 6, (7, 24), "CW301"),
    "a gateway's page": ({"do": "html"}, 6, (7, 24), "CW310"),
    "a page in place of JSON": ({"do": "html", "status": 200}, 6, (7, 24), "CW311"),
    "500 that says nothing": ({"do": "status"}, 6, (7, 24), "CW310"),
    "429 without Retry-After, twice": ({"do": "status", "status": 429, "nth": 1, "times": 2}, 3, (20, 21), None),
    "429 without Retry-After": ({"do": "status", "status": 429}, 6, (50, 50), "CW309"),
    "429 with a long Retry-After": ({"do": "status", "status": 429, "retryAfter": 50}, 3, (100, 100), "CW309"),
    "429 with one beyond all patience": ({"do": "status", "status": 429, "retryAfter": 3600}, 1, (0, 0), "CW309"),
}  # fmt: skip


@pytest.mark.parametrize("row", STUBBORN)
def test_patience_with_reads_has_an_end(reading: Undisturbed, row: str) -> None:
    scene, time = reading.scene, Time()
    fault, asked, (least, most), code = STUBBORN[row]
    scene.tenant.fault(method="GET", path=LISTS["flow"], **fault)
    before = len(scene.tenant.requests())
    told = None
    with time.client(scene.tenant) as client:
        try:
            read_tenant(client, Reads(frozenset({"flow"}), {}))
        except ServiceError as error:
            told = error.problem.code
    scene.tenant.mend()
    pages = [one for one in scene.tenant.requests()[before:] if "offset=0" in one["path"]]
    assert (len(pages), told) == (asked, code)
    assert least <= time.slept <= most


# --- Writing, through `apply` ---------------------------------------------------------------------------------
#
# The fault hits the request of one call. For calls that create, change and delete: how often that request is
# made, what is told, and the exit status; None where the fault makes cwsync wait for long (see below).
# In the end the tenant is as after an undisturbed run: at once where the status is 0, else after one more apply.
# So nothing is there twice, and what other people own is as it was.
#
# Where reading shows that a connection's change was made, it is sent once more: nobody can read its secrets.
# Rows take turns with the calls, `everywhere` ones hit all of them.


@dataclass(frozen=True)
class Written:
    fault: Fault
    create: tuple[int, list[str], int] | None
    change: tuple[int, list[str], int] | None
    delete: tuple[int, list[str], int] | None
    happened: bool = False
    everywhere: bool = False


def _alike(fault: Fault, asked: int, codes: list[str], status: int, **more: bool) -> Written:
    row = (asked, codes, status)
    return Written(fault, row, row, row, **more)


WRITES = {
    "no reply, and nothing happened, once": Written(
        {"do": "drop-before", "nth": 1}, None, (2, [], 0), (2, [], 0), everywhere=True
    ),
    "no reply, though it happened": _alike({"do": "drop-after", "nth": 1}, 1, [], 0, happened=True, everywhere=True),
    "no reply, and it happens meanwhile": _alike({"do": "late", "delayMs": 20, "nth": 1}, 1, [], 0, happened=True),
    "half a reply": _alike({"do": "truncate", "nth": 1}, 1, [], 0, happened=True),
    "a gateway's page, though it happened": _alike({"do": "html", "nth": 1}, 1, [], 0, happened=True),
    "a page in place of JSON": _alike({"do": "html", "status": 200, "nth": 1}, 1, [], 0, happened=True),
    "500, though it happened": _alike({"do": "status", "effect": True, "nth": 1}, 1, [], 0, happened=True),
    "500, and nothing happened, once": Written({"do": "status", "nth": 1}, None, (2, [], 0), (2, [], 0)),
    "500 each time": Written({"do": "status"}, None, (3, ["CW310"], 1), (3, ["CW310"], 1)),
    "409 that says nothing, each time": Written(
        {"do": "status", "status": 409}, None, (3, ["CW305"], 1), (3, ["CW305"], 1)
    ),
    "a reply in drips": _alike({"do": "drip", "bytes": 20, "delayMs": 1}, 1, [], 0),
    "429 with Retry-After, once": _alike({"do": "status", "status": 429, "retryAfter": 0, "nth": 1}, 2, [], 0),
    "429 with Retry-After, each time": _alike({"do": "status", "status": 429, "retryAfter": 0}, 6, ["CW309"], 1),
    "401, once": _alike({"do": "status", "status": 401, "nth": 1}, 2, [], 0),
    "401, each time": _alike({"do": "status", "status": 401}, 2, ["CW302"], 1),
    "403": _alike({"do": "status", "status": 403}, 1, ["CW303"], 1),
    "400": _alike({"do": "status", "status": 400, "message": "No"}, 1, ["CW305"], 1),
    "404 for what is there": _alike({"do": "status", "status": 404}, 1, ["CW304"], 1),
}  # fmt: skip

CONNECTIONS, INTEGRATIONS, FLOWS = LISTS["connection"], LISTS["integration"], LISTS["flow"]
CLOSE: Manifest = {"integrations": {"close": process()}}
TWO: Manifest = {"integrations": {"close": process(), "open": process("Open")}}


def scheduled(**more: Any) -> Manifest:
    return {**CLOSE, "schedules": {"close": daily(**more)}}


def told(**users: list[str]) -> Manifest:
    return {**CLOSE, "notifications": {"close": notify(**users)}}


def flowing(*steps: str) -> Manifest:
    return {**TWO, "flows": {"nightly": flow(*steps)}}


# What is applied before, what is declared then, and the request that goes wrong.
CALLS: dict[str, tuple[Manifest, Manifest, str, str]] = {
    "create connection": (CLOSE, {**CLOSE, "connections": {"sales": s3()}}, "POST", CONNECTIONS),
    "create integration": (CLOSE, TWO, "POST", INTEGRATIONS),
    "create schedule": (CLOSE, scheduled(), "POST", "*/schedule"),
    "create flow": (TWO, flowing("close", "open"), "POST", FLOWS),
    "change connection": (
        {"connections": {"lake": azure()}},
        {"connections": {"lake": azure(containerName="other")}},
        "PUT",
        f"{CONNECTIONS}/*",
    ),
    "change a connection's name": (
        {"connections": {"lake": azure()}},
        {"connections": {"lake": azure("Renamed")}},
        "PATCH",
        f"{CONNECTIONS}/*",
    ),
    "change integration": (CLOSE, {"integrations": {"close": process(nuxVisible=True)}}, "PUT", "/2/0/integrations/*"),
    "change schedule": (scheduled(), scheduled(time="13:00"), "PUT", "*/schedule"),
    "change to disabled": (scheduled(), scheduled(enabled=False), "POST", "*/disabled"),
    "change to enabled": (scheduled(enabled=False), scheduled(), "POST", "*/enabled"),
    "change the notification that came with it": (CLOSE, told(full_failure=[ALICE]), "PUT", "*/notification/*"),
    "change notification": (
        told(success=[ALICE]), told(success=[ALICE], full_failure=[ALICE]), "PUT", "*/notification/*"
    ),
    "change flow": (flowing("close", "open"), flowing("open", "close"), "PUT", "/2/0/integrationflows/*"),
    "delete connection": ({**CLOSE, "connections": {"sales": s3()}}, CLOSE, "DELETE", f"{CONNECTIONS}/*"),
    "delete integration": (TWO, CLOSE, "DELETE", "/2/0/integrations/*"),
    "delete schedule": (scheduled(), CLOSE, "DELETE", "*/schedule"),
    "delete notification": (told(full_failure=[ALICE]), CLOSE, "DELETE", "*/notification/*"),
    "delete flow": (flowing("close", "open"), TWO, "DELETE", "/2/0/integrationflows/*"),
}  # fmt: skip

# Reading shows that it was done, and shows no secret.
SENT_ONCE_MORE = ("change connection",)


def _applied(call: str, folder: Path, tenant: Tenant) -> Scene:
    """What is there before a call."""
    scene = Scene.set(tenant, folder)
    scene.declare(CALLS[call][0])
    assert scene.apply().ran.status == 0
    scene.declare(CALLS[call][1])
    return scene


@pytest.mark.parametrize("call", CALLS)
def test_a_write_that_goes_wrong(call: str, tmp_path: Path) -> None:
    with served() as tenant:
        scene = _applied(call, tmp_path / "undisturbed", tenant)
        assert scene.apply().ran.status == 0
        goal = scene.shape()
    for fault, row in WRITES.items():
        expected = {"create": row.create, "change": row.change, "delete": row.delete}[call.partition(" ")[0]]
        if expected is None or not _has_its_turn(fault, call):
            continue
        if row.happened and call in SENT_ONCE_MORE:
            expected = (expected[0] + 1, *expected[1:])
        with served() as tenant:
            scene = _applied(call, tmp_path / fault, tenant)
            theirs = scene.theirs()
            tenant.fault(method=CALLS[call][2], path=CALLS[call][3], **row.fault)
            disturbed = scene.apply()
            tenant.mend()
            asked = disturbed.times(*CALLS[call][2:])
            assert (asked, disturbed.codes, disturbed.ran.status) == expected, f"{fault}: {disturbed.ran.all}"
            again = scene.apply()
            assert (again.ran.status, again.codes, bool(again.sent)) == (0, [], bool(expected[2])), fault
            assert (scene.shape(), scene.theirs()) == (goal, theirs), fault


def _has_its_turn(fault: str, call: str) -> bool:
    turn = [*WRITES].index(fault) + [*CALLS].index(call)
    return WRITES[fault].everywhere or turn % 4 == 0


def test_what_can_be_done_beside_a_fault_is_done(tmp_path: Path) -> None:
    """The user may not create the integration, so neither is its schedule made; the rest is, and status 6 says so."""
    with served() as tenant:
        scene = Scene.set(tenant, tmp_path)
        scene.declare({"connections": {"sales": s3()}, **TWO, "schedules": {"open": daily()}})
        tenant.fault("status", "POST", INTEGRATIONS, nth=1, status=403)
        first = scene.apply()
        assert (first.ran.status, first.codes) == (6, ["CW303", "CW601"])
        assert first.times("POST", INTEGRATIONS) == 2
        assert first.times("POST", CONNECTIONS) == 1
        again = scene.apply()
        assert (again.ran.status, again.times("POST", INTEGRATIONS)) == (0, 1)
        assert tenant.names("integrations") == ["Close", "Open", "Theirs 000"]
        assert tenant.names("connections") == ["Sales", "Theirs 000"]
        assert scene.apply().sent == []


# --- Creating, where cwsync waits: through the rooms ----------------------------------------------------------
#
# A new object may take its time to show, so what reading does not show is looked for again after 2 and 5 seconds
# before it is sent once more. How often it is sent, how many seconds are waited, what is told, the exit status.
# The next run, without the fault, ends as an undisturbed one: with one object.

SLOW: dict[str, tuple[list[Fault], int, float, list[str], int]] = {
    "no reply, and nothing happened": ([{"do": "drop-before", "nth": 1}], 2, 7, [], 0),
    "500, and nothing happened, once": ([{"do": "status", "nth": 1}], 2, 7, [], 0),
    "500 each time": ([{"do": "status"}], 3, 21, ["CW310"], 1),
    "it happens after cwsync has given up": ([{"do": "late", "delayMs": 3000, "nth": 1}], 1, 7, [], 0),
    "it would happen after it was sent again": ([{"do": "late", "delayMs": 60_000, "nth": 1}], 2, 7, [], 0),
    "429 without Retry-After, once": ([{"do": "status", "status": 429, "nth": 1}], 2, 10, [], 0),
    "429 without Retry-After, each time": ([{"do": "status", "status": 429}], 6, 50, ["CW309"], 1),
    "taken, by what this user may not see": (
        [{"do": "status", "message": "Duplicate resource name"}], 3, 21, ["CW605"], 5
    ),
    "no reply, and the list shows it late": ([{"do": "drop-after", "nth": 1}, {"do": "stale", "nth": 2}], 1, 2, [], 0),
    "no reply, and the list shows it too late": (
        [{"do": "drop-after", "nth": 1}, {"do": "stale", "nth": 2, "times": 3}], 2, 7, [], 0
    ),
}  # fmt: skip
NAMED = ("create connection", "create integration", "create flow")


def _slow() -> list[tuple[str, str]]:
    """A schedule has no name, and no list of its own that could lag."""
    unnamed = [row for row in SLOW if not row.startswith(("taken", "no reply, and the list"))]
    return [(call, row) for call in NAMED for row in SLOW] + [("create schedule", row) for row in unnamed]


@pytest.mark.parametrize(("call", "row"), _slow())
def test_a_creation_that_takes_patience(call: str, row: str, tmp_path: Path) -> None:
    before, after, method, path = CALLS[call]
    faults, sent, seconds, codes, status = SLOW[row]
    rig, undisturbed = (_rig(tmp_path / name, before) for name in ("rig", "undisturbed"))
    assert undisturbed.apply(after).codes == []
    for fault in faults:
        where = ("GET", path) if fault["do"] == "stale" else (method, path)
        rig.tenant.fault(method=where[0], path=where[1], **fault)
    begun, slept = len(rig.tenant.requests()), sum(rig.slept)
    run = rig.apply(after)
    requests = rig.tenant.requests()[begun:]
    asked = [one for one in requests if one["method"] == method and fnmatchcase(one["path"], path)]
    problems = (*run.recovered.problems, *run.plan.problems, *run.result.problems)
    assert (len(asked), run.codes, exit_status(problems)) == (sent, codes, status)
    waited = sum(rig.slept) - slept
    assert seconds <= waited < seconds + 1  # and for the turn, at the pace that a 429 has taught
    rig.tenant.mend()
    rig.now += 100
    again = rig.mutations_of(lambda: rig.apply(after))
    assert bool(again) == bool(status)
    assert rig.shape() == undisturbed.shape()
    assert rig.state.pending == {}
    for one in (rig, undisturbed):
        one.close()


def _rig(folder: Path, before: Manifest) -> Rig:
    folder.mkdir()
    rig = Rig(folder)
    assert rig.apply(before).codes == []
    return rig


@pytest.mark.parametrize("call", NAMED)
def test_a_list_that_does_not_show_for_long_what_was_made(call: str, tmp_path: Path) -> None:
    """The next run takes it to be gone. There is no second one all the same: the service refuses it, and status 5
    says that a person must look, until the list shows that it was there all the time."""
    before, after, _, path = CALLS[call]
    rig = _rig(tmp_path / "rig", before)
    rig.tenant.fault("stale", "GET", path)
    assert rig.apply(after).codes == []
    made = [rig.tenant.names(kinds) for kinds in ("connections", "integrations", "flows")]
    rig.now += 100
    lagging = rig.apply(after)
    assert (lagging.codes, exit_status(lagging.result.problems)) == (["CW605"], 5)
    assert {one.outcome for one in lagging.result.calls} == {"unknown"}
    rig.tenant.mend()
    rig.now += 100
    assert rig.apply(after).codes == []
    assert rig.mutations_of(lambda: rig.apply(after)) == []
    assert [rig.tenant.names(kinds) for kinds in ("connections", "integrations", "flows")] == made
    rig.close()
