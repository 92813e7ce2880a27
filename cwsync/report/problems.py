"""Problems for people, and as annotations on GitHub."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cwsync.errors import Problem
from cwsync.report.screen import Paint, safe, width

_INDENT = "    "
_TAB = "    "
_BEFORE_CARET = 80  # of a long line, so much is shown before the column, and half of it behind


def problems_text(problems: Iterable[Problem], color: bool) -> str:
    """Each as `FILE:LINE:COL: CODE message`, its line with a caret below the column, and the way out."""
    paint = Paint(color)
    return "\n".join(line for problem in problems for line in _lines(problem, paint))


def _lines(problem: Problem, paint: Paint) -> Iterator[str]:
    where = f"{safe(str(problem.place))}: " if problem.place else ""
    warning = problem.severity == "warning"
    code = paint("~" if warning else "!", problem.code + (" warning:" if warning else ""))
    yield f"{where}{code} {paint('bold', safe(problem.message))}"
    if problem.source is not None and problem.place is not None:
        source, before = _cut(problem.source, problem.place.column)
        yield _INDENT + source
        yield _INDENT + " " * before + paint("+", "^")
    for detail in problem.details:
        yield _INDENT + safe(detail)
    if problem.hint:
        yield f"{_INDENT}hint: {safe(problem.hint)}"


def _cut(source: str, column: int) -> tuple[str, int]:
    """The part of a line around a column, and how many columns of a terminal stand before it."""
    at = max(0, min(column - 1, len(source)))
    start = max(0, at - _BEFORE_CARET)
    end = at + _BEFORE_CARET // 2 if len(source) > at + _BEFORE_CARET else len(source)
    before, behind = _shown(source[start:at]), _shown(source[at:end])
    before = f"{'…' if start else ''}{before}"
    return f"{before}{behind}{'…' if end < len(source) else ''}".rstrip(), width(before)


def _shown(part: str) -> str:
    return _TAB.join(map(safe, part.split("\t")))


def problems_github(problems: Iterable[Problem]) -> str:
    """Workflow commands, which GitHub shows beside the lines of a pull request."""
    return "\n".join(map(_command, problems))


def _command(problem: Problem) -> str:
    properties = {"title": problem.code}
    if problem.place is not None:
        place = problem.place
        properties = {"file": place.file, "line": str(place.line), "col": str(place.column)} | properties
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    lines = [problem.message, *problem.details, *([f"hint: {problem.hint}"] if problem.hint else [])]
    return f"::{problem.severity} {listed}::{_data(chr(10).join(map(safe, lines)))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(safe(text)).replace(":", "%3A").replace(",", "%2C")
