"""The dependency graph as SVG, laid out here: flows, then integrations with what is theirs, then connections.

A flow needs integrations and an integration needs connections, so all lines lead to the right. A schedule and a
notification belong to one integration and stand below it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cwsync.report.elements import Html, joined, tag
from cwsync.report.needs import Needs, kind_of
from cwsync.report.screen import counted, safe, width

MOST = 250
"""So many boxes can be read. Of a larger plan, a box for each kind is drawn."""

SIGNS = {
    "create": "+", "update": "~", "replace": "-/+", "delete": "-",
    "import": "i", "forget": "f", "move": "m", "": "",
}  # fmt: skip
_COLUMNS = ("flow", "integration", "connection")
_TITLES = {"flow": "Flows", "integration": "Integrations and what is theirs", "connection": "Connections"}
_ROW, _TALL, _WIDE, _BETWEEN, _INDENT, _TOP, _MARGIN = 31, 23, 300, 110, 30, 34, 8
_LETTERS = 38


@dataclass(frozen=True, slots=True)
class _Box:
    label: str
    fate: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class _Spot:
    x: int
    y: int
    wide: int = _WIDE

    @property
    def middle(self) -> int:
        return self.y + _TALL // 2


def drawing(needs: Needs, links: Mapping[str, str]) -> Html:
    """The picture, with a sentence on what it leaves out. `links` has the anchor of each change."""
    small = needs if len(needs.nodes) <= MOST else needs.changed_only()
    left = len(needs.nodes) - len(small.nodes)
    said = (
        f"{counted(left, 'object')} that {'stays' if left == 1 else 'stay'} as before are not drawn. "
        if left
        else ""
    )
    if len(small.nodes) > MOST:
        said = f"{counted(len(small.nodes), 'resource')} are too many to draw, so there is one box for each kind."
        return joined(tag("p", said), _svg(*_kinds(small), said))
    boxes = {
        name: _Box(f"{SIGNS[fate]} {name}".strip(), fate, links.get(name, ""))
        for name, fate in small.nodes.items()
    }
    said += (
        "A line leads to what is needed; a box with a broken border stays as it is." if small.edges else ""
    )
    return joined(tag("p", said), _svg(boxes, small.edges, said))


def _kinds(needs: Needs) -> tuple[dict[str, _Box], tuple[tuple[str, str], ...]]:
    """One box for each kind, with how many meet which fate."""
    count: dict[str, Counter[str]] = {}
    for name, fate in needs.nodes.items():
        count.setdefault(kind_of(name), Counter())[fate] += 1
    boxes = {
        kind: _Box(
            f"{kind} {' '.join(f'{SIGNS[fate]}{number}' for fate, number in sorted(fates.items()))}", "many"
        )
        for kind, fates in count.items()
    }
    edges = dict.fromkeys((kind_of(user), kind_of(needed)) for user, needed in needs.edges)
    return boxes, tuple(edge for edge in edges if edge[0] != edge[1])


def _svg(boxes: Mapping[str, _Box], edges: Iterable[tuple[str, str]], description: str) -> Html:
    edges = tuple(edges)
    spots = _placed(boxes, edges)
    wide = max(spot.x + spot.wide for spot in spots.values()) + _MARGIN
    tall = max(spot.y for spot in spots.values()) + _ROW
    used = dict.fromkeys((spot.x, kind_of(name)) for name, spot in spots.items() if kind_of(name) in _COLUMNS)
    return tag(
        "svg",
        tag("title", "What depends on what"),
        tag("desc", description or "The resources that change."),
        tag("defs", _arrow()),
        *(tag("text", _TITLES[kind], class_="column", x=str(x), y="18") for x, kind in used),
        *(_edge(spots[user], spots[needed]) for user, needed in edges),
        *(_box(boxes[name], spot) for name, spot in spots.items()),
        role="img",
        viewBox=f"0 0 {wide} {tall}",
        width=str(wide),
        height=str(tall),
    )


def _placed(boxes: Mapping[str, _Box], edges: tuple[tuple[str, str], ...]) -> dict[str, _Spot]:
    """Integrations that need the same connection stand together; the others stand beside those they go with."""
    needed: dict[str, list[str]] = {}
    users: dict[str, list[str]] = {}
    for user, one in edges:
        needed.setdefault(user, []).append(one)
        users.setdefault(one, []).append(user)
    there = [column for column in _COLUMNS if any(_column(name) == column for name in boxes)]
    x = {column: _MARGIN + at * (_WIDE + _BETWEEN) for at, column in enumerate(there)}
    spots = dict(_middle(boxes, needed, _islands(boxes, needed, users), x.get("integration", _MARGIN)))
    for column, beside in (("connection", users), ("flow", needed)):
        wanted = []
        for name in boxes:
            if _column(name) == column:
                ys = [spots[other].y for other in beside.get(name, ()) if other in spots]
                wanted.append((sum(ys) // len(ys) if ys else _TOP, name))
        below = _TOP
        for y, name in sorted(wanted):
            spots[name] = _Spot(x[column], max(y, below))
            below = spots[name].y + _ROW
    return {name: spots[name] for name in boxes}


def _islands(
    boxes: Mapping[str, _Box], needed: Mapping[str, list[str]], users: Mapping[str, list[str]]
) -> dict[str, int]:
    """What hangs together has the same number, so that it can stand together."""
    found: dict[str, int] = {}
    for number, first in enumerate(boxes):
        waiting = [first]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found[name] = number
                waiting += [*needed.get(name, ()), *users.get(name, ())]
    return found


def _column(name: str) -> str:
    kind = kind_of(name)
    return kind if kind in _COLUMNS else "integration"


def _middle(
    boxes: Mapping[str, _Box], needed: Mapping[str, list[str]], islands: Mapping[str, int], x: int
) -> Iterator[tuple[str, _Spot]]:
    """Integrations, each with its schedule and notification below it."""
    theirs: dict[str, list[str]] = {}
    heads = []
    for name in boxes:
        if _column(name) == "integration":
            owner = next(
                (one for one in needed.get(name, ()) if kind_of(one) == "integration" and one in boxes), None
            )
            if kind_of(name) == "integration" or owner is None:
                heads.append((islands[name], sorted(needed.get(name, ()))[:1], name))
            else:
                theirs.setdefault(owner, []).append(name)
    y = _TOP
    for *_, name in sorted(heads):
        yield name, _Spot(x, y)
        for own in sorted(theirs.get(name, ())):
            y += _ROW
            yield own, _Spot(x + _INDENT, y, _WIDE - _INDENT)
        y += _ROW


def _arrow() -> Html:
    head = tag("path", d="M0 0 L8 4 L0 8 z", class_="arrow")
    return tag(
        "marker",
        head,
        id="arrow",
        viewBox="0 0 8 8",
        refX="8",
        refY="4",
        markerWidth="7",
        markerHeight="7",
        orient="auto",
    )


def _edge(user: _Spot, needed: _Spot) -> Html:
    if user.x > needed.x:  # it stands below what it belongs to
        path = f"M{user.x} {user.middle} H{needed.x + _INDENT // 2} V{needed.y + _TALL}"
    else:
        start, end = user.x + user.wide, needed.x
        bend = (start + end) // 2
        path = f"M{start} {user.middle} C{bend} {user.middle} {bend} {needed.middle} {end} {needed.middle}"
    return tag("path", d=path, class_="edge", marker_end="url(#arrow)")


def _box(box: _Box, spot: _Spot) -> Html:
    letters = _LETTERS - (_WIDE - spot.wide) * _LETTERS // _WIDE
    shape = tag("rect", x=str(spot.x), y=str(spot.y), width=str(spot.wide), height=str(_TALL), rx="3")
    said = tag("text", _short(safe(box.label), letters), x=str(spot.x + 8), y=str(spot.y + 16))
    group = tag("g", tag("title", box.label), shape, said, class_=box.fate or "same")
    return tag("a", group, href=f"#{box.link}") if box.link else group


def _short(label: str, columns: int) -> str:
    if width(label) <= columns:
        return label
    while width(label) >= columns:
        label = label[:-1]
    return f"{label}…"
