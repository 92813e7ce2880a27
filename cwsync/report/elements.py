"""HTML put together from elements. What isn't one is text and is escaped, so nothing can be forgotten."""

from __future__ import annotations

from html import escape

from cwsync.report.screen import safe

_VOID = frozenset({"meta", "input", "br"})


class Html(str):
    """Markup that is well-formed already."""

    __slots__ = ()


Part = str | None
"""An element, text, or nothing."""


def text(content: str) -> Html:
    """The text as it is seen: nothing in it is markup, turns the direction of writing, or is invisible."""
    return Html(escape(safe(content)))


def tag(name: str, /, *parts: Part, **attributes: str | bool) -> Html:
    """An element. An attribute is written `class_` or `aria_label`; True is one without a value, False is none."""
    given = "".join(_attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{name}{given}>")
    return Html(f"<{name}{given}>{joined(*parts)}</{name}>")


def joined(*parts: Part) -> Html:
    return Html("".join(part if isinstance(part, Html) else text(part) for part in parts if part))


def _attribute(name: str, value: str | bool) -> str:
    if value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{text(value)}"'
