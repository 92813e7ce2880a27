"""A plan as one page that needs nothing else: no network, no other file, and no script to show all of it.

The page forbids itself the network, and every style and script but its own, by their hashes. The same plan gives
the same bytes.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING

from cwsync.report.changes import Row, about, rows
from cwsync.report.drawing import SIGNS, drawing
from cwsync.report.drift import drift_rows
from cwsync.report.elements import Html, Part, joined, tag
from cwsync.report.needs import Needs, needs_of
from cwsync.report.plan import FATES, blocked, fates, fates_of, problems_heading, summary
from cwsync.report.risks import Risk, risks
from cwsync.report.screen import Paint, counted
from cwsync.report.values import Values

if TYPE_CHECKING:
    from cwsync.errors import Problem
    from cwsync.plan import Change, Drift, Plan


def plan_html(plan: Plan, now: datetime | None = None) -> str:
    """The page. What is in it is escaped by `elements`; only its own style and script are not. With `now` it
    tells when schedules fire next."""
    style, script = (Html(_own(name)) for name in ("style.css", "filter.js"))
    title = f"cwsync plan for {plan.environment}"
    head = (
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", style),
    )
    body = tag(
        "body", tag("header", *_top(plan, title)), tag("main", *_main(plan, now)), tag("script", script)
    )
    return "<!DOCTYPE html>\n" + tag("html", tag("head", *head), body, lang="en")


def _own(name: str) -> str:
    return (files("cwsync.report") / "page" / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    marks = [b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in (style, script)]
    return (
        f"default-src 'none'; style-src 'sha256-{marks[0]}'; script-src 'sha256-{marks[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _top(plan: Plan, title: str) -> Iterator[Html]:
    yield tag("h1", title)
    yield tag("p", "Tenant ", tag("code", plan.tenant), ", plan ", tag("code", plan.digest), class_="faint")
    if told := summary(plan, Paint(on=False)):
        yield tag("p", told, class_="summary")
    there = {
        "changes": bool(_changes(plan)), "graph": bool(_changes(plan)), "calls": bool(plan.calls),
        "outside": bool(plan.drift), "notes": True,
    }  # fmt: skip
    names = {"outside": "Changed outside cwsync", "graph": "Dependencies"}
    links = [tag("a", names.get(name, name.title()), href=f"#{name}") for name, yes in there.items() if yes]
    if len(links) > 1:
        yield tag("nav", tag("ul", *(tag("li", link) for link in links)), aria_label="On this page")


def _main(plan: Plan, now: datetime | None) -> Iterator[Html]:
    values = Values(plan.labels, full=True)
    changes = _changes(plan)
    links = {change.address: f"c{number}" for number, change in enumerate(changes, 1)}
    yield from _problems(plan)
    yield from _risks(risks(plan, now), links)
    if changes:
        yield tag("h2", "Summary")
        yield _counts(plan)
        yield tag("h2", "Changes", id="changes")
        yield _filter(plan)
        yield from (_change(plan, change, values, links[change.address]) for change in changes)
        yield from _graph(needs_of(plan), links)
    if plan.calls:
        yield tag("h2", "Calls, in order", id="calls")
        yield _calls(plan, links)
    if plan.drift:
        yield tag("h2", "Changed outside cwsync since the last apply", id="outside")
        yield from (_drift(drift, values) for drift in plan.drift)
    yield tag("h2", "Notes", id="notes")
    yield from _notes(plan)


def _changes(plan: Plan) -> list[Change]:
    return [change for change in plan.changes if change.action != "no-op"]


def _listed(parts: Iterable[Part]) -> Html:
    return tag("ul", *(tag("li", part) for part in parts))


def _problems(plan: Plan) -> Iterator[Html]:
    if plan.problems:
        heading = tag("h2", problems_heading(plan).rstrip(":"))
        kind = "panel error" if blocked(plan) else "panel"
        yield tag("section", heading, _listed(map(_problem, plan.problems)), class_=kind)


def _problem(problem: Problem) -> Html:
    severity = " warning: " if problem.severity == "warning" else " "
    where = joined(tag("code", str(problem.place)), ": ") if problem.place else None
    details = [joined(tag("br"), detail) for detail in problem.details]
    hint = joined(tag("br"), f"hint: {problem.hint}") if problem.hint else None
    return joined(where, tag("strong", problem.code), severity, problem.message, *details, hint)


def _risks(found: Sequence[Risk], links: dict[str, str]) -> Iterator[Html]:
    if not found:
        return
    parts = [tag("h2", "Look at this first")]
    for risk in found:
        parts.append(
            tag("h3", f"{risk.title}: {len(risk.items):,}", tag("span", f" ({risk.meaning})", class_="faint"))
        )
        parts.append(_listed(_risk(item, links) for item in risk.items))
    yield tag("section", *parts, class_="panel")


def _risk(item: tuple[str, str, str], links: dict[str, str]) -> Html:
    address, name, what = item
    return joined(_link(address, links), f" ({name})" if name else None, f": {what}" if what else None)


def _link(address: str, links: dict[str, str]) -> Html:
    shown = tag("code", address)
    return tag("a", shown, href=f"#{links[address]}") if address in links else shown


def _table(heads: Iterable[tuple[str, str]], body: Iterable[Html], class_: str) -> Html:
    head = tag("tr", *(tag("th", name, scope="col", class_=kind) for name, kind in heads))
    return tag("div", tag("table", tag("thead", head), tag("tbody", *body), class_=class_), class_="wide")


def _counts(plan: Plan) -> Html:
    count = fates(plan)
    named = [name for name in FATES if any(of_kind[name] for of_kind in count.values())]
    lines = [
        tag(
            "tr",
            tag("th", kind, scope="row"),
            *(tag("td", str(of_kind[name] or ""), class_="number") for name in named),
        )
        for kind, of_kind in count.items()
    ]
    return _table([("kind", ""), *((name, "number") for name in named)], lines, "counts")


def _filter(plan: Plan) -> Html:
    """Hidden until the script that makes it work shows it."""
    count = fates(plan)
    met = [name for name in FATES if any(of_kind[name] for of_kind in count.values())]
    search = tag("label", tag("span", "Text", class_="label"), tag("input", type="search", name="text"))
    return tag(
        "form",
        search,
        _choices("Kind", "kind", count),
        _choices("What happens", "fate", met),
        tag("button", "Reset", type="reset"),
        tag("button", "Fold or unfold", type="button", id="fold"),
        tag("span", id="shown", role="status", class_="faint"),
        id="filter",
        class_="filter",
        hidden=True,
    )


def _choices(title: str, name: str, choices: Iterable[str]) -> Html:
    boxes = [
        tag("label", tag("input", type="checkbox", name=name, value=one, checked=True), f" {one}")
        for one in choices
    ]
    return tag("fieldset", tag("legend", title), *boxes)


def _change(plan: Plan, change: Change, values: Values, anchor: str) -> Html:
    met = fates_of(plan, change)
    badges = [tag("span", f"{SIGNS[fate]} {fate}", class_=f"badge {fate}") for fate in met]
    named = tag("span", change.name, class_="faint") if change.name and change.name != change.key else None
    title = tag("summary", tag("h3", tag("code", change.address)), *badges, named)
    lines = list(rows(change, values))
    fields = _fields(lines) if lines else tag("p", "No field changes.")
    told = [tag("p", f"{line[0].upper()}{line[1:]}.") for line in about(change)]
    return tag(
        "details",
        title,
        tag("div", *told, fields),
        class_="change",
        open=True,
        id=anchor,
        data_kind=change.kind,
        data_fates=" ".join(met),
    )


def _fields(lines: Sequence[Row], heads: tuple[str, str] = ("now", "afterwards")) -> Html:
    """Old and new side by side; a column in which nothing would stand is left out."""
    now, then = any(row.before is not None for row in lines), any(row.after is not None for row in lines)
    why = any(row.note for row in lines)
    columns = [("", "sign", True), ("field", "path", True), (heads[0], "side", now), (heads[1], "side", then)]
    columns.append(("why, where", "", why))
    body = []
    for row in lines:
        before = tag("td", row.before, class_=f"side code {'gone' if row.before is not None else ''}")
        after = tag("td", row.after, class_=f"side code {'new' if row.after is not None else ''}")
        cells = [
            tag("td", row.sign, class_="sign code"),
            tag("th", row.path, scope="row", class_="path code"),
        ]
        cells += [before] * now + [after] * then + [tag("td", row.note)] * why
        body.append(tag("tr", *cells))
    return _table([(name, kind) for name, kind, there in columns if there], body, "fields")


def _graph(needs: Needs, links: dict[str, str]) -> Iterator[Html]:
    yield tag("h2", "Dependencies", id="graph")
    yield tag(
        "div", drawing(needs, links), class_="drawing", tabindex="0", role="region", aria_label="Dependencies"
    )
    theirs: dict[str, list[str]] = {}
    for user, needed in needs.edges:
        theirs.setdefault(user, []).append(needed)
    lines = [f"{user} needs {', '.join(needed)}" for user, needed in theirs.items()]
    if lines:
        yield tag("details", tag("summary", "The same as a list"), _listed(lines))


def _calls(plan: Plan, links: dict[str, str]) -> Html:
    heads = [
        ("", "number"),
        ("method", ""),
        ("path", "path"),
        ("resource", "resource"),
        ("after", ""),
        ("because", ""),
    ]
    lines = [
        tag(
            "tr",
            tag("th", str(call.order), scope="row", class_="number"),
            tag("td", call.method, class_="code"),
            tag("td", call.path, class_="code"),
            tag("td", _link(call.address, links)),
            tag("td", ", ".join(map(str, call.after))),
            tag("td", call.because),
        )
        for call in plan.calls
    ]
    return _table(heads, lines, "calls")


def _drift(drift: Drift, values: Values) -> Html:
    fate = "was deleted" if drift.status == "deleted" else "was changed"
    who = f" by {drift.modified_by}" if drift.modified_by else ""
    when = f" at {drift.modified_at}" if drift.modified_at else ""
    lines = list(drift_rows(drift, values))
    table = _fields(lines, ("as last applied", "in the tenant")) if lines else None
    return joined(tag("h3", tag("code", drift.address), f" {fate}{who}{when}"), table)


def _notes(plan: Plan) -> Iterator[Html]:
    told = (
        ("This plan is a part of the work. It leaves out the changes of", "resource", plan.left_out),
        ("Left by an earlier run, its outcome not known", "operation", plan.pending),
        ("Never shown by the service, so taken to be as last applied", "field", plan.unverifiable),
        ("Not managed here", "object", plan.unmanaged),
    )
    for heading, noun, names in told:
        if names:
            yield tag(
                "details",
                tag("summary", f"{heading}: {counted(len(names), noun)}"),
                _listed(names),
                open=True,
            )
    if not any(names for *_, names in told):
        yield tag("p", "There is nothing else to know.")
