"""Field values as a person reads them: quoted, shortened, ids with the name of what they stand for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from cwsync.report.screen import safe

LONGEST = 120
_BEFORE_A_DIFFERENCE = 30


def child(path: str, step: str | int) -> str:
    """The path one step further, in the way the planner writes paths."""
    return f"{path}[{step}]" if isinstance(step, int) else f"{path}.{step}" if path else step


def leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What is to be shown on a line each: plain values and lists of plain values."""
    nested = isinstance(value, list) and any(isinstance(item, dict | list) for item in value)
    if (isinstance(value, dict) and value) or nested:
        steps = value.items() if isinstance(value, dict) else enumerate(value)
        for step, item in steps:
            yield from leaves(child(path, step), item)
    else:
        yield path, value


def unknown_paths(shape: Any, path: str = "") -> Iterator[str]:
    """The paths in a plan's `after_unknown` that are true: values that exist only after applying."""
    if shape is True:
        yield path
    elif isinstance(shape, Mapping | list):
        for step, item in shape.items() if isinstance(shape, Mapping) else enumerate(shape):
            yield from unknown_paths(item, child(path, step))


@dataclass(frozen=True, slots=True)
class Values:
    """How values are shown. `labels` names ids, in the spelling in which they compare; `full` never shortens."""

    labels: Mapping[str, str]
    full: bool = False
    unknown: frozenset[str] = frozenset()

    def text(self, value: Any, path: str = "") -> str:
        return self._clip(self._whole(value, path))

    def pair(self, before: Any, after: Any, path: str = "") -> str:
        """`old -> new`; of two long texts that begin alike, the part in which they differ."""
        return " -> ".join(self.sides(before, after, path))

    def sides(self, before: Any, after: Any, path: str = "") -> tuple[str, str]:
        """Both as `pair` has them."""
        old, new = self._whole(before, ""), self._whole(after, path)
        start = 0
        if max(len(old), len(new)) > LONGEST:
            alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
            start = max(0, alike - _BEFORE_A_DIFFERENCE) if alike > LONGEST // 2 else 0
        return self._clip(old, start), self._clip(new, start)

    def _whole(self, value: Any, path: str) -> str:
        if path in self.unknown and path:
            return f"(known after apply: {safe(str(value))})"
        if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
            return f"[{', '.join(self._whole(item, child(path, at)) for at, item in enumerate(value))}]"
        quoted = safe(json.dumps(value, ensure_ascii=False, default=str))
        label = self._label(value) if isinstance(value, str) else None
        return f"{quoted} ({safe(label)})" if label else quoted

    def _label(self, value: str) -> str | None:
        from cwsync.kinds import same_id

        return self.labels.get(same_id(value))

    def _clip(self, text: str, start: int = 0) -> str:
        if self.full or (not start and len(text) <= LONGEST):
            return text
        end = start + LONGEST
        return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
