"""What a kind must say: its model, its field rules, its wire form and the paths of its calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    SecretStr,
    Tag,
    TypeAdapter,
)

from cwsync.checked import Flag, Id, Text, wrong
from cwsync.kinds.naming import Naming, Written
from cwsync.kinds.values import Fields, Json, Observed, Path, Ref, same_id
from cwsync.secret import SecretSource

Sent = Json | SecretStr | Sequence["Sent"] | Mapping[str, "Sent"]
Body = dict[str, Sent]  # a request: JSON in which secrets stay closed until it is sent
Wire = Mapping[str, Any]  # what a reply holds: any JSON
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Action(StrEnum):
    """What one mutating call does to its object."""

    CREATE = "create"
    UPDATE = "update"
    RENAME = "rename"
    ENABLE = "enable"
    DISABLE = "disable"
    DELETE = "delete"


class Behaviour(StrEnum):
    """How a field differs from one that is sent, returned and compared as it is."""

    WRITE_ONLY = (
        "write only"  # sent, never returned; compared by keyed fingerprint with what was last applied
    )
    NOT_READ_BACK = "not read back"  # where the service leaves it out, what was last applied stands for it
    IMMUTABLE = "immutable"  # cannot be changed: a change replaces the object
    SETS_FORM = (
        "sets the form"  # whether it is there decides what the object is: adding it replaces the object
    )
    UNORDERED = "unordered"  # order has no meaning
    DEFAULT = "default"  # an absent value stands for a default
    PAST_DATE = "past date"  # two dates in the past count as equal
    OWN_CALL = "own call"  # set by a call of its own


class Rule(NamedTuple):
    """How one field behaves, and why we believe so. `path` uses `*` for any key or index."""

    path: str
    behaviour: Behaviour
    reason: str


class Listing(NamedTuple):
    """Where a kind's objects are listed: the path, the key of the list and of each object's id. `counts` has the
    keys under which an item only tells how many values a field has."""

    path: str
    key: str
    id_key: str
    params: Mapping[str, str] = NOTHING
    counts: Mapping[str, str] = NOTHING


class Write(NamedTuple):
    """The values that one mutating call is built from; references are ids by now."""

    action: Action
    fields: Mapping[str, Any]
    secrets: Mapping[str, SecretStr] = NOTHING


class Content(NamedTuple):
    """What a resource's model comes to: its canonical fields, and where its secrets are found."""

    name: str
    fields: Fields
    secrets: Mapping[str, SecretSource] = NOTHING
    parent: Ref | None = None


class Finding(NamedTuple):
    """A rule of the service that a resource breaks; `path` leads from the resource to the field. `beside` are the
    other fields that it breaks it with: where one of those is wrong itself, nobody knows whether it does."""

    code: str
    message: str
    path: Path = ()
    hint: str | None = None
    severity: Literal["error", "warning"] = "error"
    beside: tuple[Path, ...] = ()


def _update_at_once(_changed: frozenset[str], _fields: Fields) -> tuple[Action, ...]:
    return (Action.UPDATE,)


def _create_at_once(_fields: Fields) -> tuple[Action, ...]:
    return (Action.CREATE,)


def _no_second_try(_body: Body, _message: str, _now: datetime) -> tuple[Body, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind is data plus a few small functions; the planner and the executor know nothing else of it.

    `content` turns the model of a resource (with its key, and the project's users by name) into
    canonical fields, and `check` says which rules of the service it breaks. `to_wire` turns those fields
    into a request's body, `from_wire` a reply's object into an `Observed` (None where the object does not
    carry this kind), and `to_manifest` observed fields into what a user would write for them. `calls` has
    the method and path of each action, `created_id` the way to the new id in the reply to a creation;
    `second_tries` the bodies to try when one was refused for a reason that the facts know.
    """

    name: str
    section: str
    models: tuple[type[BaseModel], ...]
    model: TypeAdapter[Any]
    summary: str
    rules: tuple[Rule, ...]
    calls: Mapping[Action, tuple[str, str]]
    content: Callable[[Any, str, Mapping[str, str]], Content]
    check: Callable[[Any, str], Iterator[Finding]]
    to_wire: Callable[[Write], Body | None]
    from_wire: Callable[[Wire], Observed | None]
    to_manifest: Callable[[Mapping[str, Any], Naming], dict[str, Written]]
    created_id: tuple[str, ...] = ()
    listing: Listing | None = None
    detail: tuple[str, str] | None = None
    create_actions: Callable[[Fields], tuple[Action, ...]] = _create_at_once
    update_actions: Callable[[frozenset[str], Fields], tuple[Action, ...]] = _update_at_once
    second_tries: Callable[[Body, str, datetime], tuple[Body, ...]] = _no_second_try
    misplaced: str = "CW201"  # the code for a field of another form of the kind

    def paths_that(self, behaviour: Behaviour) -> tuple[str, ...]:
        """The paths of the fields that behave so."""
        return tuple(rule.path for rule in self.rules if rule.behaviour is behaviour)


class Strict(BaseModel):
    """A mapping in a manifest: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def _flaw(text: str) -> str | None:
    """What no text that the service keeps should be; in one line, and nothing that cannot be seen."""
    if text.isprintable() and text and text == text.strip():
        return None  # nearly always, and told faster than by looking for what it might be
    if not text:
        return "is empty"
    if found := _CONTROL.search(text):
        return f"holds a character that cannot be shown, U+{ord(found[0]):04X}"
    if text != text.strip():
        return "begins or ends with a space"
    return None


def _plain(text: str) -> str:
    if flaw := _flaw(text):
        raise wrong("CW203", f"the text {flaw}")
    return text


def _digits(text: str) -> str:
    if not re.fullmatch("[0-9]+", text):
        raise wrong("CW203", f"'{short(text)}' is not a number of the model", hint="such as 112000000005")
    return text


Words = Annotated[Text, Field(min_length=1), AfterValidator(_plain)]
"""A text that says something: not empty, in one line, without spaces around it."""

PlainId = Annotated[Id, AfterValidator(_plain)]
"""An id of the service, as it is copied from there."""

Number = Annotated[Id, AfterValidator(_digits), Field(json_schema_extra={"pattern": "^[0-9]+$"})]
"""The number of an action, a data source or a process of the model; a text, whose zeros are kept (facts B26)."""


def short(text: str) -> str:
    """The text, or as much of it as a message can bear."""
    return text if len(text) <= 60 else f"{text[:57]}..."


_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 _-]*[A-Za-z0-9])?")


def check_name(name: str, longest: int) -> Iterator[Finding]:
    """The rules for names that the web interface states; the API may be more tolerant (facts D)."""
    if len(name) > longest:
        message = f"the name has {len(name)} characters, and CloudWorks allows {longest}"
        yield Finding("CW210", message, ("name",), hint="give it a shorter `name`")
    if _NAME.fullmatch(name):
        return
    if flaw := _flaw(name):
        yield Finding("CW210", f"the name {flaw}", ("name",))
    else:
        yield Finding(
            "CW210",
            "CloudWorks' own screens only allow letters, digits, spaces, - and _ in a name, "
            "beginning and ending with a letter or a digit",
            ("name",),
            severity="warning",
        )


_GUID = re.compile(r"[0-9a-f]{32}")


def check_guid(model: BaseModel, *fields: str) -> Iterator[Finding]:
    """Every live id has this form, and samples on the page do not: worth a look, not an error (facts B25)."""
    for name in fields:
        id = getattr(model, name)
        if id is not None and not _GUID.fullmatch(same_id(id)):
            message = f"{name} '{short(id)}' is not an id of 32 hexadecimal digits: is it copied completely?"
            yield Finding("CW203", message, (name,), severity="warning")


def check_reference(reference: object, path: Path) -> Iterator[Finding]:
    """An unmanaged object is named by its name or its id, not by both."""
    if isinstance(reference, Unmanaged) and (reference.name is None) == (reference.id is None):
        yield Finding("CW203", "give either name or id of the unmanaged object", path)


class Unmanaged(Strict):
    """An object that exists in the tenant and is not declared in any manifest."""

    name: Words | None = Field(None, description="Its name in the tenant.", examples=["Made by hand"])
    id: PlainId | None = Field(
        None, description="Its id in the tenant.", examples=["fe40dc5793084f7dbb685cffe6a5ad2a"]
    )


def _reference_form(value: object) -> str:
    return "unmanaged" if isinstance(value, dict | Unmanaged) else "key"


Reference = Annotated[
    Annotated[Words, Tag("key")] | Annotated[Unmanaged, Tag("unmanaged")],
    Discriminator(_reference_form),
]
"""A key in the manifests, or something unmanaged in the tenant: `{name: …}` or `{id: …}`."""


def ref(kind: str, reference: str | Unmanaged) -> Ref:
    """The reference as a value: a bare key means a declared resource of that kind."""
    if isinstance(reference, str):
        return Ref(kind, address=f"{kind}.{reference}")
    return Ref(kind, name=reference.name, id=reference.id)


class Lifecycle(Strict):
    """How cwsync may treat a resource."""

    preventDestroy: Flag = Field(
        False, description="Refuse every plan that would delete it. Kept in the state as well."
    )
    ignoreChanges: tuple[Text, ...] = Field(
        (), description="Fields whose differences from the tenant are left alone.", examples=[["steps"]]
    )
    owner: Words | None = Field(
        None,
        description="Who answers for it: a team or a person. Reports say it, and policies can ask for it.",
        examples=["team-finance"],
    )


class Declared(Strict):
    """What every resource may carry."""

    name: Text | None = Field(
        None,
        description="The name in CloudWorks. The key, where it is left out.",
        examples=["Accounts import"],
    )
    lifecycle: Lifecycle = Field(
        Lifecycle.model_construct(), description="preventDestroy, ignoreChanges and owner."
    )

    def called(self, key: str) -> str:
        """Its name: the key, where none is written."""
        return key if self.name is None else self.name


Outcome = Literal["stop", "continue"]


def text_or_none(value: object) -> str | None:
    """A server-assigned text: null, absent and the vendor page's "None" all mean there is none (facts B27)."""
    return value if isinstance(value, str) and value not in ("", "None") else None


def is_true(value: object) -> bool:
    """A flag of the service, which was also seen as a text (facts B15); absent means no."""
    return str(value).lower() == "true"


class Stamps(TypedDict):
    """Who made and changed an object, and when."""

    created_by: str | None
    created_at: str | None
    modified_by: str | None
    modified_at: str | None


def stamps(item: Wire) -> Stamps:
    """Who made and changed an object, and when; the page spells the dates in two ways (facts B5)."""
    return {
        "created_by": text_or_none(item.get("createdBy")),
        "created_at": text_or_none(item.get("creationDate") or item.get("isoCreationDate")),
        "modified_by": text_or_none(item.get("modifiedBy")),
        "modified_at": text_or_none(item.get("modificationDate") or item.get("isoModificationDate")),
    }
