"""`${var.name}` inside the strings of located values.

`$${` is a literal `${`. Keys are left alone, and what a variable brings in is not read again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from cwsync.errors import Problem, suggest
from cwsync.located import Map, Seq, Source, Value, clone

V = TypeVar("V", bound=Value)

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""A variable's name: what an environment variable CWSYNC_VAR_name can be called everywhere."""

_TOKEN = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")
_REFERENCE = re.compile(rf"\s*var\.({NAME.pattern})\s*")


@dataclass(frozen=True, slots=True)
class Variables:
    """The variables of one environment; `used` grows with every string that names one."""

    values: Mapping[str, str] = field(default_factory=dict)
    declared: Mapping[str, Problem] = field(default_factory=dict)
    """For each variable of cwsync.yaml, the warning to give where nothing uses it (CW114)."""
    used: set[str] = field(default_factory=set)

    def fill(self, value: V, problems: list[Problem]) -> V:
        """`value` with its variables filled in; it is not changed, and unchanged parts are shared.

        Appends a located CW113 to `problems` for each variable that is unknown, and for each `${...}`
        of another form, and leaves that text as it was.
        """
        if isinstance(value, Map) and not value.borrowed and not value.source.may_hold_variables:
            return value
        return _Filling(self, problems).value(value)

    def unused(self) -> list[Problem]:
        """A warning (CW114) for every declared variable that nothing has used so far."""
        return [warning for name, warning in self.declared.items() if name not in self.used]


class _Filling:
    """One walk over a value. What an alias repeats is walked once."""

    def __init__(self, variables: Variables, problems: list[Problem]) -> None:
        self._variables = variables
        self._problems = problems
        self._done: dict[int, Value] = {}

    def value(self, value: V) -> V:
        if isinstance(value, (Map, Seq)):
            if id(value) not in self._done:
                self._done[id(value)] = self._map(value) if isinstance(value, Map) else self._seq(value)
            return self._done[id(value)]  # type: ignore[return-value] # a Map for a Map, a Seq for a Seq
        return value

    def _map(self, original: Map) -> Map:
        result = original
        for key, old in original.items():
            if type(old) is str:
                if "$" not in old:
                    continue
                new: Value = self._text(old, original.source_of(key), original.value_at(key))
            else:
                new = self.value(old)
            if new is not old:
                result = clone(original) if result is original else result
                result[key] = new
        return result

    def _seq(self, original: Seq) -> Seq:
        result = original
        for index, old in enumerate(original):
            new = (
                self._text(old, original.source, original.marks[index])
                if type(old) is str
                else self.value(old)
            )
            if new is not old:
                result = _copied(original) if result is original else result
                result[index] = new
        return result

    def _text(self, text: str, source: Source, offset: int) -> str:
        if "$" not in text:
            return text
        return _TOKEN.sub(lambda found: self._token(found, source, offset), text)

    def _token(self, found: re.Match[str], source: Source, offset: int) -> str:
        written = found[0]
        if found[1] is None:
            return "${"
        reference = _REFERENCE.fullmatch(found[1]) if found[2] else None
        if reference is not None and reference[1] in self._variables.values:
            self._variables.used.add(reference[1])
            return self._variables.values[reference[1]]
        # the exact place, where the text stands in the file as it is
        offset = max(offset, source.text.find(written, offset))
        if reference is None:
            message = f"'{_short(written)}' cannot be read"
            hint = "only ${var.name} stands for a value; write $${ for ${ itself"
        else:
            name = reference[1]
            message = f"the variable '{_short(name)}' is not set for this environment"
            near = suggest(name, self._variables.values)
            hint = f"did you mean '{near}'?" if near else "declare it below 'variables:' in cwsync.yaml"
        self._problems.append(source.problem("CW113", message, offset, hint=hint))
        return written


def _copied(original: Seq) -> Seq:
    result = Seq(original.source, original.start)
    result.extend(original)
    result.marks = original.marks
    return result


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
