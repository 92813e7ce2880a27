"""One tenant and one project, the real command line upon them, and anything that can happen between two steps.

Time stands still: whoever sleeps moves it. What is to happen at the nth mutation or commit of a run is a
`Trouble`; a run that is killed does nothing any more, whatever its handlers try.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
from crash.invariants import Broken, intent_of
from crash.sites import Opens, in_file
from support.program import Ran, cwsync
from support.tenant import Tenant

from cwsync.cli.outside import Outside
from cwsync.emulator import application
from cwsync.state import Clock, Holder, State, Store, from_json, to_json

Json = dict[str, Any]
# A Saturday, a little after midnight, UTC.
NOW = datetime(2026, 11, 21, 0, 30, tzinfo=UTC).timestamp()


class Killed(BaseException):
    """The process is gone. No handler of ours may catch this."""


@dataclass
class Trouble:
    """What happens to a run at its `at`th mutation, or where `do` says so, at its `at`th commit.

    - a fault of the emulator, as a rule of its own without `match`: {"do": "drop-after"}
    - "kill-before", "kill-after": the process is gone before the request leaves, or with its reply
    - "kill-before-commit", "kill-after-commit"; "store": the write of the state goes wrong, in one of the ways
      that there are where it is
    - "blind": its reply is lost, and nothing can be read any more
    - "interrupt": a person presses Ctrl-C
    - "edit ours", "be quicker": somebody does this in the web interface just before
    - "twin": somebody makes the very same connection just before, whichever mutation that is
    """

    at: int
    do: str
    more: Json = field(default_factory=dict)
    struck: bool = field(default=False, repr=False)
    request: httpx.Request | None = field(default=None, repr=False)

    @property
    def kills(self) -> bool:
        return self.do.startswith("kill")


OF_COMMITS = ("kill-before-commit", "kill-after-commit", "store")
CONNECTIONS = "/2/0/integrations/connections"
OF_PEOPLE = ("twin", "edit ours", "be quicker")


@dataclass(frozen=True)
class Run(Ran):
    """What a command ended in, unless it was killed."""

    killed: bool = False


class Place:
    """Where it happens: `run` is a command line of a process that is elsewhere, and may be killed."""

    def __init__(
        self, root: Path, meddle: Callable[[Trouble], object] = lambda _: None, opens: Opens = in_file
    ) -> None:
        self.root = root
        self._open = ExitStack()
        self.site = self._open.enter_context(opens(root))
        self.now = NOW
        self.app = application(clock=lambda: self.now)
        self._http = httpx.Client(transport=httpx.WSGITransport(self.app), base_url="http://emulator")
        self.tenant = Tenant(self._http)
        self.dead = self.running = False
        self.troubles: Sequence[Trouble] = ()
        self.sent = self.commits = 0
        self.meddle = meddle
        self.broken: list[Broken] = []
        self.documents: list[bytes] = []
        self.began: Json = {}  # the state when the run began
        self._time = threading.Lock()
        clock = Clock(lambda: self.now, lambda: datetime.fromtimestamp(self.now, UTC), self.sleep)
        holder = Holder("ci", "elsewhere", 1, "another boot")
        self._outside = Outside(
            clock, _Street(self), holder=holder, around=lambda store: _Counted(self, store)
        )

    def close(self) -> None:
        self._http.close()
        self.app.close()
        self._open.close()

    @property
    def state(self) -> Json:
        document = self.site.document()
        found: Json = json.loads(document) if document else {}
        return {
            "resources": {},
            "pending": {},
            "deposed": [],
            "lock": None,
            "serial": 0,
            "lineage": None,
            **found,
        }

    def sleep(self, seconds: float) -> None:
        with self._time:
            self.now += seconds

    def run(self, *arguments: str, troubles: Sequence[Trouble] = ()) -> Run:
        """What the command came to."""
        self.troubles, self.sent, self.commits, self.running = troubles, 0, 0, True
        self.documents = self.documents[-1:]
        self.began = self.state
        try:
            with patch.dict(os.environ, self.site.environ):
                ran = cwsync(*arguments, folder=self.root, outside=self._outside)
            return Run(ran.status, ran.out, ran.err)
        except Killed:
            return Run(-1, "", "", killed=True)
        finally:
            for (
                thread
            ) in threading.enumerate():  # what the dead run had in flight ends before anything else begins
                if thread.name.startswith("cwsync-apply"):
                    thread.join()
            self.troubles, self.dead, self.running = (), False, False
            self.tenant.mend()
            self.site.mend()

    def strike(self, request: httpx.Request | None, moment: str) -> None:
        """Let happen what is to happen here. `moment` is before or after the request or the commit."""
        at = self.sent if request else self.commits
        suffix = "" if request else "-commit"
        for trouble in self.troubles:
            if trouble.struck or (trouble.do in OF_COMMITS) is (request is not None):
                continue
            if trouble.at != at and not (trouble.do == "twin" and _makes_a_connection(request)):
                continue
            if trouble.do == f"kill-{moment}{suffix}":
                trouble.struck = self.dead = True
                raise Killed
            if moment == "before":
                self._begin(trouble, request)

    def _begin(self, trouble: Trouble, request: httpx.Request | None) -> None:
        if trouble.kills:
            return
        trouble.struck = True
        if trouble.do == "store":
            self.site.spoil(trouble.more.get("how", 0))
            return
        assert request is not None
        if trouble.do == "interrupt":
            os.kill(os.getpid(), signal.SIGINT)
        elif trouble.do in OF_PEOPLE:
            trouble.request = request
            self.meddle(trouble)
        elif trouble.do == "blind":
            self.tenant.fault("drop-after", request.method, request.url.path, times=1)
            self.tenant.fault("status", "GET", "/2/0/integration", status=503)
        else:
            if trouble.do == "late":  # nobody waits longer than a request's time for a reply
                self.sleep(60)
            more = {"do": trouble.do, "times": 1, **trouble.more}
            self.tenant.fault(more.pop("do"), request.method, request.url.path, **more)


def _makes_a_connection(request: httpx.Request | None) -> bool:
    return request is not None and (request.method, request.url.path) == ("POST", CONNECTIONS)


class _Street(httpx.BaseTransport):
    """The way to the tenant."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._inner = httpx.WSGITransport(place.app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        place = self._place
        if place.dead:
            raise Killed
        if request.method == "GET" or request.url.path.startswith("/token/"):
            return self._inner.handle_request(request)
        place.sent += 1
        self._look_for_intent(request)
        place.strike(request, "before")
        response = self._inner.handle_request(request)
        response.read()
        place.strike(request, "after")
        return response

    def _look_for_intent(self, request: httpx.Request) -> None:
        """No mutation without an intent of this run that is stored (R1)."""
        place, path = self._place, request.url.path
        document = place.site.document()
        stored = from_json(document, "the state") if document else None
        if intent_of(request.method, path, request.content, stored, place.tenant.snapshot) is None:
            place.broken.append(Broken("intent", f"{request.method} {path} was sent without one"))


class _Counted:
    """The state's store. It counts commits."""

    def __init__(self, place: Place, inner: Store) -> None:
        self._place = place
        self._inner = inner

    def read(self) -> State | None:
        return self._inner.read()

    def raw(self) -> bytes | None:
        return self._inner.raw()

    def describe(self) -> str:
        return self._inner.describe()

    def commit(self, old: State | None, new: State) -> State:
        place = self._place
        if place.dead:
            raise Killed
        place.commits += 1
        place.strike(None, "before")
        done = self._inner.commit(old, new)
        place.documents.append(to_json(done))
        place.strike(None, "after")
        return done
