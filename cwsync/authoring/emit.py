"""Manifests as text, in the style of the examples: YAML that every reader takes for the same.

cwsync reads every scalar as text. Other tools do not, so whatever YAML 1.1 or 1.2 could take for something
else is quoted: all but the numbers of actions, times and dates, which manifests have bare.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from cwsync.kinds import Written

_WIDTH = 110
_PLAIN = re.compile(r"[^\W_](?:[\w ./@+=()-]*[\w./@+=()-])?")
_AMBIGUOUS = re.compile(
    r"(?i)null|true|false|yes|no|on|off|y|n|0x[\da-f_]+|0[ob][\d_]+|[\d_.]+(?:e[-+]?\d*)?|\d{4}-\d\d?-\d\d?.*"
)
_BARE = {
    **dict.fromkeys(("actionId", "fileId", "processId"), re.compile(r"[1-9][0-9]{0,17}")),
    **dict.fromkeys(("time", "fromTime", "toTime"), re.compile(r"\d\d:\d\d")),
    **dict.fromkeys(("startDate", "endDate"), re.compile(r"\d{4}-\d\d-\d\d")),
}
# What JSON leaves as it is, and YAML must have as an escape; half of a surrogate pair is no character at all.
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_HALF = re.compile(r"[\ud800-\udfff]")


def writable(value: Written) -> bool:
    """Whether a file can hold every text of the value."""
    if isinstance(value, dict):
        return all(map(writable, [*value.keys(), *value.values()]))
    if isinstance(value, list):
        return all(map(writable, value))
    return not (isinstance(value, str) and _HALF.search(value))


def text_of(sections: Mapping[str, Mapping[str, Mapping[str, Written]]], header: Iterable[str]) -> str:
    """A manifest: the header as comments, and each section with its resources, an empty line between two."""
    lines = [f"# {line}".rstrip() for line in header]
    for section, resources in sections.items():
        if resources:
            lines.append(f"{section}:")
            for key, resource in resources.items():
                lines += [*entry(key, {**resource}, 2, block=True), ""]
    return "\n".join(lines).rstrip() + "\n"


def entry(key: str, value: Written, indent: int, *, block: bool = False) -> Iterator[str]:
    """A key and its value, in one line where that fits and is how people write it; else, or with `block`, below."""
    head = f"{' ' * indent}{scalar(key)}:"
    line = f"{head} {flow(value, key)}"
    steps = isinstance(value, list) and any(isinstance(item, dict) for item in value)
    if not isinstance(value, dict | list) or not value or not (block or steps or len(line) > _WIDTH):
        yield line
        return
    yield head
    if isinstance(value, dict):
        for name, item in value.items():
            yield from entry(name, item, indent + 2)
    else:
        for item in value:
            yield from _item(item, indent + 2)


def _item(item: Written, indent: int) -> Iterator[str]:
    dash = f"{' ' * indent}- "
    if not isinstance(item, dict) or not item:
        yield dash + flow(item)
        return
    first, *rest = (line for name, value in item.items() for line in entry(name, value, indent + 2))
    yield dash + first[len(dash) :]
    yield from rest


def flow(value: Written, field: str = "") -> str:
    """A value in one line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{scalar(key)}: {flow(item, key)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, str):
        # A text of the tenant is no variable (`$${` is how `${` is written).
        return scalar(value.replace("${", "$${"), field)
    return json.dumps(value)


def scalar(text: str, field: str = "") -> str:
    """A text, plain where nobody can take it for something else."""
    bare = _BARE.get(field)
    if bare and bare.fullmatch(text):
        return text
    if _PLAIN.fullmatch(text) and not _AMBIGUOUS.fullmatch(text):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
