"""What every desk of the tenant stands on: the store, the profile, the clock, and the people."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cwsync.emulator.profile import Profile
from cwsync.emulator.refusal import NOT_FOUND, TENANT_FULL, Refusal, Refused
from cwsync.emulator.store import Document, Store

DEFAULT_PAGE = 25
OBJECTS = "https://api.cloudworks.anaplan.com/2/0/integrations/objects"


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the tenant. `role` "none" is somebody who may sign in and see nothing (facts B39)."""

    guid: str
    login: str
    first_name: str
    last_name: str
    role: str = "integrator"

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


def person(login: str) -> Person:
    """The user who signs in like this; one login is one user, in every tenant."""
    words = login.split("@", maxsplit=1)[0].replace(".", " ").replace("_", " ").replace("-", " ").split()
    words = [word[0].upper() + word[1:] for word in words] or ["Unnamed"]
    guid = uuid.uuid5(uuid.NAMESPACE_URL, f"cloudworks-user:{login.casefold()}").hex
    return Person(guid, login, words[0], " ".join(words[1:]) or "User")


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for."""

    offset: int = 0
    limit: int = DEFAULT_PAGE
    order: str = ""
    mine: bool = False


class World:
    """One tenant's store with the rules that all kinds share. Every method belongs in a transaction."""

    def __init__(self, store: Store, profile: Profile, clock: Callable[[], float]) -> None:
        self.store = store
        self.profile = profile
        self.clock = clock

    def stamp(self, seconds: float | None = None) -> str:
        """A time as the service writes it: whole seconds, UTC."""
        moment = datetime.fromtimestamp(self.clock() if seconds is None else seconds, UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def require(self, kind: str, identifier: str) -> Document:
        """The document, or 404 `Resource not found`."""
        document = self.store.get(kind, identifier)
        if document is None:
            raise NOT_FOUND()
        return document

    def refuse_taken(self, kind: str, name: str, but: str = "") -> None:
        """Names are unique within a kind, to the letter; the scope is nowhere recorded (facts F10)."""
        if any(identifier != but for identifier in self.store.named(kind, name)):
            raise self.profile.duplicate()

    def bad_parameter(self, name: str) -> Refused:
        """A parameter or header that is missing or wrong, in the page's spelling of its name."""
        return Refusal(400, self.profile.bad_parameter(name))()

    def born(self, by: Person) -> Document:
        """What the service notes when it creates something; nobody has modified it yet (facts B27)."""
        now = self.stamp()
        return {"createdBy": by.name, "creationDate": now, "modificationDate": now, "modifiedBy": None}

    def touched(self, by: Person) -> Document:
        return {"modificationDate": self.stamp(), "modifiedBy": by.name}

    def listed(self, kind: str, page: Page, by: Person) -> tuple[list[Document], Document]:
        """A page of documents, and the `paging` that tells where it lies."""
        owner = by.guid if page.mine else None
        limit = min(page.limit, self.profile.largest_page or page.limit)
        documents = self.store.page(kind, offset=page.offset, limit=limit, order=page.order, owner=owner)
        return documents, {
            "currentPageSize": len(documents),
            "totalSize": self.store.count(kind, owner),
            "offset": page.offset,
        }

    def quota(self) -> Document:
        """How many there are of what is limited, and how many there may be (facts A2, B40)."""
        settings = self.store.get("settings", "tenant") or {}
        kinds = ("integration", "flow") if self.profile.flows_count else ("integration",)
        return {
            "tenantCurrentCount": sum(self.store.count(kind) for kind in kinds),
            "tenantMaxAllowed": settings.get("maxAllowed", self.profile.max_integrations),
        }

    def refuse_full(self) -> None:
        quota = self.quota()
        if quota["tenantCurrentCount"] >= quota["tenantMaxAllowed"]:
            raise TENANT_FULL()

    def remember(self, who: Person) -> None:
        """Know this user by name; what is known already stays, the role above all."""
        if self.store.get("user", who.guid) is None:
            body = {
                "guid": who.guid,
                "login": who.login,
                "firstName": who.first_name,
                "lastName": who.last_name,
            }
            self.store.put("user", who.guid, {**body, "role": who.role}, name=who.login)

    def known(self, guid: str) -> Person:
        """A user of the tenant; an id that nobody has signed in with gets a name made from it."""
        body = self.store.get("user", guid)
        if body is None:
            return Person(guid, guid, "User", guid[:8])
        return Person(body["guid"], body["login"], body["firstName"], body["lastName"], body["role"])


def new_id() -> str:
    return uuid.uuid4().hex
