"""Requests made up from the emulator's own description: such as it asks for, and such as it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
JUNK = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
Ids = dict[str, list[str]]  # by the word in the address of what has them

# Fields that hold the id of something: mostly they should lead somewhere.
_INTEGRATIONS = ("referrer", "dependsOn", "integrationIds", "integrationId", "stepsToRun")
_IDS = {"connectionId": "connections", **dict.fromkeys(_INTEGRATIONS, "integrations")}
_DAYS = st.dates().map(str) | st.sampled_from(["2026-11-23", "2026-12-01", "2027-02-28"])
_USUAL = {"timezone": st.sampled_from(["Europe/Paris", "Greenwich"]), "startDate": _DAYS, "endDate": _DAYS}


def values(schema: Json, ids: Ids, field: str = "") -> st.SearchStrategy[Any]:
    """What the schema allows; in fields that hold ids some of these."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of([values(each, ids, field) for each in schema["anyOf"]])
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        shapes = {key: values(each, ids, key) for key, each in schema["properties"].items()}
        required = {key: shapes.pop(key) for key in schema.get("required", ())}
        return st.fixed_dictionaries(required, optional=shapes)
    if kind == "array":
        least = schema.get("minItems", 0)
        most = schema.get("maxItems", least + 3)
        return st.lists(values(schema["items"], ids, field), min_size=least, max_size=most)
    if kind == "string" and field in _IDS:
        return st.sampled_from(ids[_IDS[field]])
    if kind == "string" and field in _USUAL:
        return _USUAL[field]
    if kind == "integer":
        return st.integers(schema["minimum"], schema["maximum"])
    if kind == "string":
        return st.from_regex(schema["pattern"], fullmatch=True)
    return {"null": st.none(), "boolean": st.booleans()}.get(str(kind), JUNK)


def spoiled(draw: Draw, value: Any) -> Any:
    """The value with one thing in it, however deep, taken away, added, or put another way."""
    spots = [*_spots(value)]
    if not spots:
        return draw(JUNK)
    holder, key = draw(st.sampled_from(spots))
    deed = draw(st.sampled_from(["replace", "remove", "add"]))
    if deed == "replace":
        holder[key] = draw(JUNK)
    elif deed == "remove":
        del holder[key]
    elif isinstance(holder, dict):
        holder[draw(st.text(max_size=8))] = draw(JUNK)
    else:
        holder.append(draw(JUNK))
    return value


def _spots(value: Any) -> Iterator[tuple[Any, Any]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield value, key
        yield from _spots(each)


def request(draw: Draw, document: Json, ids: Ids) -> tuple[str, str, Json, Any]:
    """A method, an address, a query and a body (None: none), of one of the operations described."""
    operations = [(path, method) for path, by_method in document["paths"].items() for method in by_method]
    path, method = draw(st.sampled_from([each for each in operations if not each[0].startswith("/token")]))
    operation = document["paths"][path][method]
    query: Json = {}
    for parameter in operation["parameters"]:
        name = parameter["name"]
        if parameter["in"] == "path":
            junk = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
            word = draw(junk if rare(draw) else st.sampled_from(_known(name, path, ids)))
            path = path.replace(f"{{{name}}}", word)
        elif draw(st.booleans()):
            query[name] = draw(st.text(max_size=4) if rare(draw) else values(parameter["schema"], ids))
    if "requestBody" not in operation:
        return method.upper(), path, query, None
    body = draw(values(operation["requestBody"]["content"]["application/json"]["schema"], ids))
    return method.upper(), path, query, spoiled(draw, body) if rare(draw) else body


def rare(draw: Draw) -> bool:
    return bool(draw(st.integers(0, 3)) == 0)


def _known(name: str, path: str, ids: Ids) -> list[str]:
    """What the parameter of an address may be, for it to lead somewhere."""
    words = {"status": ["enabled", "disabled"], "model": ["35A6EF"], "action": ["112000000005"]}
    place = path.partition("/{id}")[0].rpartition("/")[2]
    return words.get(name) or ids.get(place) or ids["integrations"]
