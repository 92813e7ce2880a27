"""A headless Chromium, where there is one: it is spoken to by its own protocol, through two pipes, so nothing but
Python and Chromium is needed."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run")


def chromium() -> str | None:
    """The browser that CHROMIUM names, or that is on the path; None where there is none."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


# Chromium reads its commands from 3 and writes its replies to 4.
_STARTED = """
import os, sys
commands, replies, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
ends = os.dup(commands), os.dup(replies)
while min(ends) < 5:
    ends = os.dup(ends[0]), os.dup(ends[1])
os.dup2(ends[0], 3)
os.dup2(ends[1], 4)
os.execvp(program, sys.argv[3:])
"""


class Browser:
    """One tab. `said` is what its console and its network had to tell."""

    def __init__(self, program: str, profile: str) -> None:
        commands, self._send = os.pipe()
        self._receive, replies = os.pipe()
        os.set_inheritable(commands, True)
        os.set_inheritable(replies, True)

        own = f"--user-data-dir={profile}"
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                _STARTED,
                str(commands),
                str(replies),
                program,
                *_FLAGS,
                own,
                "about:blank",
            ],
            pass_fds=(commands, replies),
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(replies)
        self._buffer, self._number, self._session = b"", 0, ""
        self.said: list[str] = []
        self.events: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._session = ""
        self.call("Browser.close")
        self._process.wait(20)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        while (reply := self._next()).get("id") != self._number:
            self._note(reply)
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply['error']}")
        result: dict[str, Any] = reply["result"]
        return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            part = os.read(self._receive, 1 << 20)
            if not part:
                raise RuntimeError("the browser has ended")
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        parsed: dict[str, Any] = json.loads(message)
        return parsed

    def _note(self, event: dict[str, Any]) -> None:
        method, params = event.get("method", ""), event.get("params", {})
        self.events.append(method)
        if method == "Network.requestWillBeSent" and not params["request"]["url"].startswith("file:"):
            self.said.append(f"a request to {params['request']['url']}")
        elif method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.said.append(json.dumps(params)[:400])

    def open(self, page: Path) -> None:
        self.events.clear()
        self.call("Page.navigate", url=page.as_uri())
        while "Page.loadEventFired" not in self.events:
            self._note(self._next())

    def run(self, expression: str) -> Any:
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def picture(self, to: Path, *, wide: int, most: int = 6000) -> None:
        """The page from its top, as long as it is or as `most` pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=wide, height=900, deviceScaleFactor=1, mobile=False
        )
        tall = min(most, int(self.run("document.documentElement.scrollHeight")))
        clip = {"x": 0, "y": 0, "width": wide, "height": tall, "scale": 1}
        data = self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)[
            "data"
        ]
        to.write_bytes(base64.b64decode(data))
