"""The dependencies as text that draws itself: Mermaid for Markdown, DOT for Graphviz."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cwsync.report.screen import safe


def graph_mermaid(addresses: Sequence[str], edges: Iterable[tuple[str, str]]) -> str:
    """A Mermaid flowchart; an arrow goes from a resource to what it needs."""
    edges = sorted(edges)
    names = _numbered(addresses, edges)
    lines = ["flowchart LR"]
    lines += [f'  {number}["{_escaped(name, "#quot;")}"]' for name, number in names.items()]
    lines += [f"  {names[start]} --> {names[end]}" for start, end in edges]
    return "\n".join(lines)


def graph_dot(addresses: Sequence[str], edges: Iterable[tuple[str, str]]) -> str:
    """A Graphviz digraph; an arrow goes from a resource to what it needs."""
    edges = sorted(edges)
    names = _numbered(addresses, edges)
    lines = ["digraph cwsync {", "  rankdir=LR;"]
    lines += [f'  {number} [label="{_escaped(name, chr(92) + chr(34))}"];' for name, number in names.items()]
    lines += [f"  {names[start]} -> {names[end]};" for start, end in edges]
    return "\n".join([*lines, "}"])


def _numbered(addresses: Sequence[str], edges: Iterable[tuple[str, str]]) -> dict[str, str]:
    """A plain identifier for each node: names of unmanaged objects may hold anything."""
    nodes = dict.fromkeys([*sorted(addresses), *(name for edge in edges for name in edge)])
    return {name: f"n{number}" for number, name in enumerate(nodes, 1)}


def _escaped(name: str, quote: str) -> str:
    return safe(name).replace("\\", "\\\\").replace('"', quote)
