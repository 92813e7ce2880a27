"""A plan as a page: well-formed, complete without a script, and cut off from the network."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from itertools import combinations

import pytest
from support.plans import plan_with
from unit.report.tenant import busy_plan, settled_plan

from cwsync.errors import Place, Problem
from cwsync.plan import Change, FieldChange, Plan
from cwsync.report.drawing import MOST, drawing
from cwsync.report.html import plan_html
from cwsync.report.needs import Needs, needs_of

EVIL = "</script></style><script>alert(1)</script><img src='https://e.example/x' onerror=\"y\"> & &lt;"
_VOID = {"meta", "input", "br"}
_RAW = {"style", "script"}
Attributes = dict[str, str | None]


@dataclass
class Element:
    name: str
    given: Attributes
    text: str = ""
    children: list[Element] = field(default_factory=list)


class Page(HTMLParser):
    """Every element; anything that isn't closed in its turn is an error."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.all: list[Element] = []
        self._open: list[Element] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), "an attribute twice"
        element = Element(tag, dict(attrs))
        if self._open:
            self._open[-1].children.append(element)
        self.all.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().name == tag

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def named(self, name: str, **given: str) -> list[Element]:
        wanted = given.items()
        return [one for one in self.all if one.name == name and all(one.given.get(k) == v for k, v in wanted)]


def page(plan: Plan) -> Page:
    return Page(plan_html(plan))


@pytest.mark.parametrize("size", [0, 6, 40, 300])
def test_it_is_well_formed_and_asks_nobody(size: int) -> None:
    text = plan_html(plan_with(size))
    found = Page(text)
    assert len([one for one in found.all if "change" in (one.given.get("class") or "").split()]) == size
    for one in found.all:
        assert not {"src", "srcset", "action", "data", "style", "poster", "formaction"} & one.given.keys()
        assert not any(name.startswith("on") for name in one.given)
        for link in ("href", "xlink:href"):
            assert (one.given.get(link) or "#").startswith("#")
        assert one.name not in {
            "link",
            "iframe",
            "object",
            "embed",
            "base",
            "img",
            "image",
            "use",
            "audio",
            "video",
        }
    assert not re.search(r"(?i)\b(https?|ftp|wss?|data|blob|file):|@import|//\w+\.", text)
    assert set(re.findall(r"url\(([^)]*)\)", text)) <= {"#arrow"}


def test_the_page_forbids_itself_everything_but_its_own_style_and_script() -> None:
    found = page(busy_plan())
    policy = found.named("meta", **{"http-equiv": "Content-Security-Policy"})[0].given["content"] or ""
    marks = {
        name: b64encode(hashlib.sha256(found.named(name)[0].text.encode()).digest()).decode() for name in _RAW
    }
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{marks['style']}'",
        f"script-src 'sha256-{marks['script']}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert [len(found.named(name)) for name in ("style", "script")] == [1, 1]
    assert found.all[1].name == "head"
    assert [one.given for one in found.all if one.name == "meta"][:2][1][
        "http-equiv"
    ]  # before anything that loads


def test_the_same_plan_gives_the_same_bytes() -> None:
    slower = replace(busy_plan(), read_calls=99, read_seconds=9.9)
    assert plan_html(busy_plan()) == plan_html(slower)


def test_links_lead_somewhere_and_no_id_is_there_twice() -> None:
    found = page(plan_with(40))
    ids = [one.given["id"] for one in found.all if "id" in one.given]
    assert len(ids) == len(set(ids))
    links = {(one.given["href"] or "")[1:] for one in found.named("a")}
    assert links <= set(ids)
    assert len(links) > 40


def test_old_and_new_stand_side_by_side() -> None:
    lake = page(busy_plan()).named("details", id="c1")[0]
    assert (lake.given["data-kind"], lake.given["data-fates"]) == ("connection", "update")
    rows = [[cell.text for cell in row.children] for row in elements(lake, "tr")]
    assert rows == [
        ["", "field", "now", "afterwards", "why, where"],
        ["~", "containerName", '"landing"', '"landing2"', "manifest, manifests/connections.yaml:4:5"],
        ["~", "sasToken", "(secret)", "(secret)", "its value changed, manifests/connections.yaml:4:5"],
    ]


def elements(of: Element, name: str) -> list[Element]:
    found = [of] if of.name == name else []
    for child in of.children:
        found += elements(child, name)
    return found


def test_the_filter_offers_what_there_is_and_is_hidden_without_its_script() -> None:
    found = page(plan_with(40))
    form = found.named("form", id="filter")[0]
    assert "hidden" in form.given
    chosen = {(one.given["name"], one.given.get("value")) for one in elements(form, "input")}
    changes = [one for one in found.named("details") if "data-kind" in one.given]
    kinds = {("kind", one.given["data-kind"]) for one in changes}
    fates = {("fate", fate) for one in changes for fate in (one.given["data-fates"] or "").split()}
    assert chosen == kinds | fates | {("text", None)}
    assert all("checked" in one.given for one in elements(form, "input") if one.given["type"] == "checkbox")
    assert all("open" in one.given and "hidden" not in one.given for one in changes)
    assert found.named("span", id="shown", role="status")
    labelled = [one for label in elements(form, "label") for one in elements(label, "input")]
    assert len(labelled) == len(elements(form, "input"))


def test_what_is_imported_and_changed_is_found_as_both() -> None:
    change = Change(
        "flow.x", "flow", "x", "X", "import", "1", {}, {}, fields=(FieldChange("name", "a", "b", "both"),)
    )
    found = page(Plan("prod", "acme", changes=(change,)))
    assert found.named("details", id="c1")[0].given["data-fates"] == "update import"


def test_problems_risks_calls_and_notes_are_there() -> None:
    problem = Problem("CW503", "too many", Place("a.yaml", 2, 3), "fewer", details=("one",))
    plan = replace(busy_plan(), problems=(problem,), left_out=("flow.o",), pending=("flow.p (create)",))
    found = page(plan)
    told = found.named("section", **{"class": "panel error"})[0].text
    assert told == "Error: this plan cannot be applieda.yaml:2:3: CW503 too manyonehint: fewer"
    assert (
        "Deleted: 1 (gone from the tenant afterwards)connection.old (Old): no manifest" in found.all[0].text
    )
    calls = found.named("table", **{"class": "calls"})[0]
    assert [row.children[0].text for row in elements(calls, "tr")] == ["", "1", "2", "3", "4"]
    notes = found.all[0].text.partition("Notes")[2]
    for part in ("flow.o", "flow.p (create)", "connection.lake: sasToken", "connection Someone's"):
        assert part in notes
    assert "integration.accounts was changed by jane@example.com at 2026-11-03T10:22:31Z" in found.all[0].text


def test_nothing_to_do() -> None:
    found = page(settled_plan())
    assert "No changes. The tenant matches the manifests." in found.all[0].text
    assert not found.named("svg")
    assert not found.named("form")


@pytest.mark.parametrize("where", ["name", "value", "reason", "problem", "environment", "label"])
def test_no_name_becomes_markup(where: str) -> None:
    at = {one: EVIL if one == where else "x" for one in ("name", "value", "reason", "problem", "environment")}
    evil = EVIL if where == "label" else "x"
    field = FieldChange("file", at["value"], "1" * 32, "manifest")
    plan = Plan(
        at["environment"],
        at["environment"],
        changes=(
            Change("flow.x", "flow", "key", at["name"], "delete", before={"name": at["value"]}, reason=at["reason"]),
            Change("flow.y", "flow", "key", at["name"], "update", fields=(field,), after={"file": "1" * 32}),
        ),
        problems=(Problem("CW503", at["problem"], hint=at["problem"]),),
        labels={"1" * 32: f"integration {evil}"},
    )  # fmt: skip
    found = page(plan)
    plain = page(plan_without(plan))
    assert [one.name for one in found.all] == [one.name for one in plain.all]
    assert "alert(1)" in found.all[0].text


def plan_without(plan: Plan) -> Plan:
    """The same plan with harmless texts."""
    changes = tuple(
        replace(one, name="x", reason=one.reason and "x", before=one.before and {"name": "x"})
        for one in plan.changes
    )
    fields = tuple(replace(one, before="x") for one in changes[1].fields)
    return replace(
        plan,
        environment="x",
        tenant="x",
        changes=(changes[0], replace(changes[1], fields=fields)),
        problems=(Problem("CW503", "x", hint="x"),),
        labels={"1" * 32: "integration x"},
    )


def boxes(found: Page) -> dict[str, tuple[float, float, float]]:
    """By its full name, where each box is: left, right, top."""
    drawn = {}
    for group in found.named("g"):
        title, shape, _ = group.children
        x, y, wide = (float(shape.given[name] or "") for name in ("x", "y", "width"))
        drawn[title.text] = (x, x + wide, y)
    return drawn


@pytest.mark.parametrize("size", [6, 40, 200])
def test_the_drawing_has_everything_once_and_nothing_over_another(size: int) -> None:
    plan = plan_with(size)
    needs = needs_of(plan)
    drawn = boxes(page(plan))
    assert {name.split(" ")[-1] for name in drawn} == set(needs.nodes)
    assert len([name for name, fate in needs.nodes.items() if fate]) == size
    places = sorted((left, top) for left, _, top in drawn.values())
    assert len(set(places)) == len(drawn)
    for one, other in combinations(drawn.values(), 2):
        beside = one[1] <= other[0] or other[1] <= one[0]
        assert beside or abs(one[2] - other[2]) >= 23


def test_those_that_go_with_the_same_stand_below_each_other() -> None:
    edges = tuple((f"flow.{one}", "integration.x") for one in "abc")
    edges += tuple(("integration.x", f"connection.{one}") for one in "abc")
    nodes = dict.fromkeys((name for edge in edges for name in edge), "create")
    drawn = boxes(Page(drawing(Needs(nodes, edges), {})))
    assert len({(left, top) for left, _, top in drawn.values()}) == 7


def test_lines_lead_to_what_is_needed() -> None:
    assert set(needs_of(busy_plan()).edges) == {("integration.accounts", "connection.sales-s3")}
    edges = set(needs_of(plan_with(40)).edges)
    for edge in (
        ("schedule.actuals-4", "integration.actuals-4"),  # not there yet
        ("integration.actuals-4", "connection.team-4"),
        ("flow.nightly-2", "integration.budget-2"),  # there
        ("notification.prices-9", "integration.prices-9"),  # on its way out
    ):
        assert edge in edges
    assert len(page(plan_with(40)).named("path", **{"class": "edge"})) == len(edges)


def test_too_many_to_draw_become_a_box_for_each_kind() -> None:
    plan = plan_with(MOST + 10)
    found = page(plan)
    assert {name.partition(" ")[0] for name in boxes(found)} == {
        "connection", "integration", "schedule", "notification", "flow",
    }  # fmt: skip
    assert (
        f"{MOST + 10} resources are too many to draw, so there is one box for each kind." in found.all[0].text
    )


def test_what_stays_is_left_out_where_it_would_be_too_much() -> None:
    needs = needs_of(plan_with(MOST - 5))
    assert len(needs.nodes) > MOST
    found = page(plan_with(MOST - 5))
    assert len(boxes(found)) == MOST - 5
    assert f"{len(needs.nodes) - MOST + 5} objects that stay as before are not drawn." in found.all[0].text
