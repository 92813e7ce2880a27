"""A YAML text as what stands in it: every indicator and scalar with where it begins and ends.

Between two tokens there is nothing but spaces, line ends and comments. Line ends are "\\n" here; `unix` and
`like` lead there and back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from yaml import tokens as made

_UNSEEN = (
    made.StreamStartToken,
    made.BlockMappingStartToken,
    made.BlockSequenceStartToken,
    made.BlockEndToken,
)
_SHORT = {
    made.KeyToken: "?",
    made.ValueToken: ":",
    made.BlockEntryToken: "-",
    made.FlowEntryToken: ",",
    made.FlowMappingStartToken: "{",
    made.FlowMappingEndToken: "}",
    made.FlowSequenceStartToken: "[",
    made.FlowSequenceEndToken: "]",
    made.ScalarToken: "scalar",
    made.AnchorToken: "&",
    made.AliasToken: "*",
    made.TagToken: "!",
    made.DocumentStartToken: "---",
    made.DocumentEndToken: "...",
    made.DirectiveToken: "%",
    made.StreamEndToken: "end",
}


@dataclass(frozen=True, slots=True)
class Token:
    """What stands at `start`. `closed` block collections end before it; it may open one, and be in a key."""

    what: str
    start: int
    end: int
    text: str
    value: str = ""
    style: str = ""
    closed: int = 0
    opens: str = ""
    key: bool = False

    @property
    def meaning(self) -> tuple[str, str, str]:
        """What must not change, however it is laid out."""
        return self.what, self.value, self.style


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text that `located.load` reads; the last one is its end."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    closed, opens, key = 0, "", False
    while (raw := loader.get_token()) is not None:
        start, end = raw.start_mark.index, raw.end_mark.index
        if isinstance(raw, made.BlockEndToken):
            closed += 1
        elif isinstance(raw, made.BlockMappingStartToken | made.BlockSequenceStartToken):
            opens = "map" if isinstance(raw, made.BlockMappingStartToken) else "list"
        elif isinstance(raw, made.KeyToken) and start == end:
            key = True
        elif not isinstance(raw, _UNSEEN):
            style = getattr(raw, "style", None) or ""
            if style in ("|", ">"):
                end = _end_of_block(text, start, end)
            value = str(getattr(raw, "value", ""))
            yield Token(_SHORT[type(raw)], start, end, text[start:end], value, style, closed, opens, key)
            closed, opens, key = 0, "", False


def _end_of_block(text: str, start: int, end: int) -> int:
    """The end of a block scalar's last line: libyaml goes on to what comes next, over empty lines and spaces."""
    header, *body = text[start:end].split("\n")
    if body and not body[-1].strip(" "):
        body.pop()
    if "+" not in header.partition("#")[0]:
        deepest = body_indent(body)
        while body and len(body[-1]) <= deepest and not body[-1].strip(" "):
            body.pop()
    return start + len("\n".join([header, *body]))


def body_indent(body: list[str]) -> int:
    """How far in the first line of a block scalar is that is not empty."""
    return next((len(line) - len(line.lstrip(" ")) for line in body if line.strip(" ")), 0)


def comments(text: str) -> list[str]:
    """The comments of a text in their order, those behind the head of a block scalar included."""
    found: list[str] = []
    last = 0
    for token in tokens(text):
        found += [line.strip(" \t") for line in text[last : token.start].split("\n") if line.strip(" \t")]
        if token.style in ("|", ">"):
            found += [f"#{said}" for said in (token.text.partition("\n")[0].partition("#")[2],) if said]
        last = token.end
    return found


def unix(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def like(text: str, original: str) -> str:
    """The text with the line ends of the original."""
    return text.replace("\n", "\r\n") if "\r\n" in original else text
