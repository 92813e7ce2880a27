"""Opens the HTML of plans in a headless Chromium, tries the page out, and takes its pictures.

Usage: `make pictures [OUT=folder]`; CHROMIUM names the browser. Fails on anything in the console, on a request
to anywhere, and where the page does not do what it should. The browser is spoken to by its own protocol, through
two pipes, so nothing but Python and Chromium is needed.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.plans import plan_with

from cwsync.report.html import plan_html

SIZES = (0, 6, 40, 500)
_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run")


class Browser:
    """One tab. `said` is what its console and its network had to tell."""

    def __init__(self, program: str, profile: str) -> None:
        commands, self._send = os.pipe()
        self._receive, replies = os.pipe()
        os.set_inheritable(commands, True)
        os.set_inheritable(replies, True)

        # Chromium reads its commands from 3 and writes its replies to 4.
        shell = f'exec "$0" "$@" 3<&{commands} 4>&{replies}'
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", shell, program, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
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


_TYPED = """{
  const box = document.getElementById("filter").elements.text;
  box.value = "%s";
  box.dispatchEvent(new Event("input", {bubbles: true}));
}"""


def expect(what: str, found: Any, wanted: Any) -> None:
    if found != wanted:
        raise SystemExit(f"{what}: {found!r}, and should be {wanted!r}")


def try_out(browser: Browser, size: int) -> None:
    """The filter hides what was not asked for, and its reset shows all."""
    shown = "document.querySelectorAll('.change:not([hidden])').length"
    expect(f"{size} changes, shown at first", browser.run(shown), size)
    expect("wider than the window", browser.run("document.documentElement.scrollWidth > innerWidth"), False)
    if not size:
        return
    browser.run(_TYPED % "no such thing")
    expect("shown of a word that nothing has", browser.run(shown), 0)
    expect(
        "what the page tells",
        browser.run("document.getElementById('shown').textContent"),
        f"0 of {size} shown",
    )
    browser.run(_TYPED % "")
    browser.run("document.querySelector('input[name=kind][value=flow]').click()")
    flows = browser.run("document.querySelectorAll('.change[data-kind=flow]').length")
    expect("shown without flows", (browser.run(shown), bool(flows)), (size - flows, True))
    browser.run("location.hash = '#' + document.querySelector('.change[hidden]').id")
    browser.call(
        "Runtime.evaluate", expression="new Promise((done) => setTimeout(done, 50))", awaitPromise=True
    )
    expect("shown after a link led to what is hidden", browser.run(shown), size)


def without_script(browser: Browser, page: Path, size: int) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(page)
    nodes = browser.call("DOM.getDocument", depth=-1)["root"]["nodeId"]
    hidden = browser.call("DOM.querySelectorAll", nodeId=nodes, selector=".change[hidden]")["nodeIds"]
    all_of_them = browser.call("DOM.querySelectorAll", nodeId=nodes, selector=".change[open]")["nodeIds"]
    expect("shown without JavaScript", (len(hidden), len(all_of_them)), (0, size))
    browser.call("Emulation.setScriptExecutionDisabled", value=False)


def main(out: Path, program: str) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile, Browser(program, profile) as browser:
        for size in SIZES:
            page = out / f"plan-{size}.html"
            page.write_text(plan_html(plan_with(size)), encoding="utf-8")
            browser.open(page)
            try_out(browser, size)
            browser.open(page)
            for scheme in ("light", "dark"):
                feature = {"name": "prefers-color-scheme", "value": scheme}
                browser.call("Emulation.setEmulatedMedia", features=[feature])
                browser.picture(out / f"plan-{size}-{scheme}.png", wide=1200)
            browser.call("Emulation.setEmulatedMedia", features=[])
            browser.picture(out / f"plan-{size}-phone.png", wide=400, most=3000)
            printed = browser.call("Page.printToPDF", printBackground=True)["data"]
            (out / f"plan-{size}.pdf").write_bytes(base64.b64decode(printed))
            without_script(browser, page, size)
            expect(f"what the browser said of {page.name}", browser.said, [])
            print(f"{page}: {size} changes, {page.stat().st_size:,} bytes, nothing to complain of")


if __name__ == "__main__":
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        raise SystemExit(
            "no Chromium here: install it (Debian: apt install chromium), or name it in CHROMIUM"
        )
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/pictures"), found)
