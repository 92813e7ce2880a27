"""The page of a plan in a real browser: what it shows, what can be done with it, and its pictures.

`make pictures` runs this and keeps the pictures in build/pictures, or in the folder that PICTURES names.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.browser import Browser, chromium
from support.plans import plan_with

from cwsync.report.html import plan_html

SIZES = (0, 6, 40, 500)
SHOWN = "document.querySelectorAll('.change:not([hidden])').length"
PNG = b"\x89PNG\r\n"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = chromium()
    assert program is not None
    with Browser(program, str(tmp_path_factory.mktemp("profile"))) as browser:
        yield browser


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> int:
    count: int = request.param
    return count


@pytest.fixture
def page(browser: Browser, size: int, tmp_path: Path) -> Iterator[Path]:
    """The page of a plan with so many changes, open; and in the end nobody has complained, or asked for anything."""
    page = tmp_path / f"plan-{size}.html"
    page.write_text(plan_html(plan_with(size)), encoding="utf-8")
    browser.said.clear()
    browser.open(page)
    yield page
    assert not browser.said


def type_in(browser: Browser, text: str) -> None:
    browser.run(
        f"""{{
          const box = document.getElementById("filter").elements.text;
          box.value = "{text}";
          box.dispatchEvent(new Event("input", {{bubbles: true}}));
        }}"""
    )


def test_every_change_is_shown_within_the_window(browser: Browser, page: Path, size: int) -> None:
    assert browser.run(SHOWN) == size
    assert browser.run("document.documentElement.scrollWidth > innerWidth") is False


@pytest.mark.parametrize("size", [6, 40], indirect=True)
def test_the_filter_hides_what_was_not_asked_for(browser: Browser, page: Path, size: int) -> None:
    type_in(browser, "no such thing")
    assert browser.run(SHOWN) == 0
    assert browser.run("document.getElementById('shown').textContent") == f"0 of {size} shown"

    type_in(browser, "")
    browser.run("document.querySelector('input[name=kind][value=flow]').click()")
    flows = browser.run("document.querySelectorAll('.change[data-kind=flow]').length")
    assert flows > 0
    assert browser.run(SHOWN) == size - flows


@pytest.mark.parametrize("size", [6, 40], indirect=True)
def test_a_link_to_what_is_hidden_shows_it(browser: Browser, page: Path, size: int) -> None:
    browser.run("document.querySelector('input[name=kind][value=flow]').click()")
    browser.run("location.hash = '#' + document.querySelector('.change[hidden]').id")
    later = "new Promise((done) => setTimeout(done, 50))"
    browser.call("Runtime.evaluate", expression=later, awaitPromise=True)

    assert browser.run(SHOWN) == size


@pytest.mark.parametrize("size", [6, 40], indirect=True)
def test_the_graph_is_drawn_within_its_frame(browser: Browser, page: Path, size: int) -> None:
    box = "(() => {const b = document.querySelector('svg').getBBox(); return b.width > 0 && b.height > 0})()"

    assert browser.run(box) is True


def test_without_javascript_all_is_shown_and_open(browser: Browser, page: Path, size: int) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(page)
        root = browser.call("DOM.getDocument", depth=-1)["root"]["nodeId"]

        def found(selector: str) -> int:
            return len(browser.call("DOM.querySelectorAll", nodeId=root, selector=selector)["nodeIds"])

        assert (found(".change[hidden]"), found(".change[open]")) == (0, size)
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_its_pictures_are_taken(browser: Browser, page: Path, size: int, tmp_path: Path) -> None:
    out = Path(os.environ.get("PICTURES") or tmp_path)
    out.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        browser.call(
            "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
        )
        browser.picture(out / f"plan-{size}-{scheme}.png", wide=1200)
    browser.call("Emulation.setEmulatedMedia", features=[])
    browser.picture(out / f"plan-{size}-phone.png", wide=400, most=3000)
    printed = browser.call("Page.printToPDF", printBackground=True)["data"]
    (out / f"plan-{size}.pdf").write_bytes(base64.b64decode(printed))

    light, dark = ((out / f"plan-{size}-{scheme}.png").read_bytes() for scheme in ("light", "dark"))
    assert light.startswith(PNG)
    assert light != dark
