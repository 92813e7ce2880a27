"""A value without its mistakes: so that one of them does not hide what else is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from cwsync.checked.findings import Codes, Finding, follows
from cwsync.checked.shapes import field_names, models_along
from cwsync.errors import suggest
from cwsync.located import Map, Path, Seq, Value, at, clone


class Mending:
    """A copy of a value of the type `shape`, in which a field's example takes the place of what is wrong.

    `doubtful` are the paths whose values are not the user's: what is said of them, or because of them, is not so.
    """

    def __init__(self, value: Map, shape: object) -> None:
        self.value: Any = _copy(value)
        self.doubtful: set[Path] = set()
        self._shape = shape

    def mend(self, error: ValidationError) -> bool:
        """Mend what pydantic found wrong; False where some of it cannot be."""
        return all(self._mend(detail) for detail in error.errors(include_url=False) if not follows(detail))

    def made(self, path: Path) -> bool:
        """Whether what is there was mended, or holds or is in what was."""
        return touches(path, self.doubtful)

    def _mend(self, detail: ErrorDetails) -> bool:
        kind, path = detail["type"], Finding(detail, self.value, self._shape, Codes()).path
        if kind == "extra_forbidden":
            return self._take_away(path)
        # Without its tag nobody knows what it should be.
        return not kind.startswith("union_tag") and self._replace(path, whole=kind != "too_short")

    def _replace(self, path: Path, *, whole: bool) -> bool:
        """Put an example, or the default, in the place of the innermost field on the way; False where there is none."""
        along = models_along(self._shape, path)
        for depth in range(len(path) - 1, -1, -1):
            name, holder = str(path[depth]), at(self.value, path[:depth])
            field = _field(along[depth], name)
            if field is None or not isinstance(holder, Map):
                continue
            there = holder.get(name)
            if not whole and isinstance(there, Seq) and field.examples:  # it lacks items: what it has stays
                begun = len(there)
                there += field.examples[0][begun:]
                self.doubtful |= {(*path, index) for index in range(begun, len(there))}
                return True
            holder.pop(name, None)
            if field.examples:
                holder.put(name, field.examples[0], holder.start, holder.start)
            self.doubtful.add(path[: depth + 1])
            return True
        return False

    def _take_away(self, path: Path) -> bool:
        """A field that does not exist was probably meant to be one that does, and of that nobody knows the value then;
        but not where that one is there as well."""
        holder, name = at(self.value, path[:-1]), str(path[-1])
        if not isinstance(holder, Map):
            return True  # all that held it was mended
        holder.pop(name, None)
        self.doubtful.add(path)
        meant = suggest(name, field_names(models_along(self._shape, path[:-1])[-1]))
        if meant is not None and meant not in holder:
            self.doubtful.add((*path[:-1], meant))
        return True


def touches(path: Path, others: Iterable[Path]) -> bool:
    """Whether one of the others is this, above it or below it."""
    return any(path[: len(other)] == other[: len(path)] for other in others)


def _field(models: Iterable[type[BaseModel]], written: str) -> FieldInfo | None:
    """A field by its name as it is written, which has an example or need not be there."""
    fields = ((field.alias or name, field) for model in models for name, field in model.model_fields.items())
    usable = (
        field for name, field in fields if name == written and (field.examples or not field.is_required())
    )
    return next(usable, None)


def _copy(value: Value) -> Value:
    if isinstance(value, Map):
        copied = clone(value)
        copied.update({key: _copy(item) for key, item in value.items()})
        return copied
    if isinstance(value, Seq):
        items = Seq(value.source, value.start)
        items += [_copy(item) for item in value]
        items.marks = [*value.marks]
        return items
    return value
