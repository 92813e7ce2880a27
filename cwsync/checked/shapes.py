"""Walking the types that a value was validated as, beside the `loc` of a pydantic error."""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from cwsync.located import Path, Value, at, has

Loc = tuple[str | int, ...]


def models_along(shape: object, loc: Loc) -> list[list[type[BaseModel]]]:
    """For the start and then each step of `loc`, the models that the value there may be of."""
    now = _members(shape)
    along = [_models(now)]
    for step in loc:
        below = [member for one in now for member in _below(one, step)]
        # a step that leads nowhere is the tag of a union's member
        now = below or [one for one in now if _tagged(one, step)] or now
        along.append(_models(now))
    return along


def path_of(loc: Loc, value: Value) -> Path:
    """The path in the value that a `loc` means: without the tags of unions that pydantic puts in.

    A last step that the value does not have (a field that is missing) is kept.
    """
    if not loc:
        return ()
    step, rest = loc[0], loc[1:]
    taking = (step, *path_of(rest, at(value, (step,)))) if has(value, step) else ()
    if len(taking) == len(loc):
        return taking
    skipping = path_of(rest, value) if rest else (step,)
    return taking if len(taking) >= len(skipping) else skipping


def field_names(models: list[type[BaseModel]]) -> list[str]:
    """The names that a user may write in any of the models."""
    return list(dict.fromkeys(f.alias or name for model in models for name, f in model.model_fields.items()))


def tag_of(model: type[BaseModel]) -> str:
    """What tells a member of a union from the others: the one value that its tag may have."""
    literals = (
        get_args(f.annotation) for f in model.model_fields.values() if get_origin(f.annotation) is Literal
    )
    return next((str(values[0]) for values in literals if len(values) == 1), model.__name__)


def tags_with(models: list[type[BaseModel]], field: str) -> list[str]:
    """The tags of the models that have a field of this name."""
    return [tag_of(model) for model in models if field in field_names([model])]


def _members(shape: Any) -> list[Any]:
    """The alternatives of a union, without what Annotated adds."""
    while get_origin(shape) is Annotated:
        shape = get_args(shape)[0]
    if get_origin(shape) in (Union, UnionType):
        return [member for one in get_args(shape) for member in _members(one)]
    return [shape]


def _models(members: list[Any]) -> list[type[BaseModel]]:
    return [one for one in members if isinstance(one, type) and issubclass(one, BaseModel)]


def _below(shape: Any, step: str | int) -> list[Any]:
    if _models([shape]):
        fields = shape.model_fields.items()
        return [m for name, f in fields if step in (f.alias, name) for m in _members(f.annotation)]
    arguments = get_args(shape)
    if not arguments or get_origin(shape) is Literal:
        return []
    return _members(arguments[0] if isinstance(step, int) else arguments[-1])


def _tagged(shape: Any, step: str | int) -> bool:
    if not _models([shape]):
        return False
    literals = (
        get_args(f.annotation) for f in shape.model_fields.values() if get_origin(f.annotation) is Literal
    )
    return step == shape.__name__ or any(step in values for values in literals)
