"""Every error cwsync raises: a stable code, a message, a way out, and the exit status it leads to.

Nothing here does I/O. A `Problem` is a value; a `CwsyncError` carries one or more of them, so
that all that is wrong can be reported at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal, NamedTuple


class Exit(IntEnum):
    """The exit statuses of the contract, section 3. Nothing else decides one."""

    OK = 0
    ERROR = 1
    CHANGES = 2
    STALE = 3
    LOCKED = 4
    NEEDS_PERSON = 5
    PARTLY_APPLIED = 6
    REFUSED = 7
    INTERRUPTED = 130


CODES: dict[str, tuple[Exit, str]] = {
    # files and YAML
    "CW101": (Exit.ERROR, "a file cannot be read, or is not UTF-8 text"),
    "CW102": (Exit.ERROR, "not valid YAML"),
    "CW103": (Exit.ERROR, "the same key twice in one mapping"),
    "CW104": (Exit.ERROR, "YAML beyond the bounds of size, depth or expansion"),
    "CW105": (
        Exit.ERROR,
        "a YAML feature that manifests do not use (tags, recursion, keys that are not text)",
    ),
    "CW106": (Exit.ERROR, "a file that is not formatted"),
    "CW107": (Exit.ERROR, "a file that cannot be formatted without changing what it says"),
    # the project
    "CW110": (Exit.ERROR, "no cwsync.yaml here or in a folder above"),
    "CW111": (Exit.ERROR, "cwsync.yaml: a value that is not allowed"),
    "CW112": (Exit.ERROR, "an environment that cwsync.yaml does not define"),
    "CW113": (Exit.ERROR, "an unknown variable"),
    "CW114": (Exit.ERROR, "a variable that nothing uses (a warning)"),
    "CW115": (Exit.ERROR, "no manifest, or nothing declared in any"),
    "CW120": (Exit.ERROR, "a secret that is needed now cannot be had"),
    "CW121": (Exit.ERROR, "a secret written out in a file"),
    "CW122": (Exit.ERROR, "a certificate or private key that cannot be used"),
    # manifests
    "CW201": (Exit.ERROR, "an unknown field or section"),
    "CW202": (Exit.ERROR, "a required field is missing"),
    "CW203": (Exit.ERROR, "a value of the wrong form"),
    "CW204": (Exit.ERROR, "a reference to something that is not declared"),
    "CW205": (Exit.ERROR, "the same address declared twice"),
    "CW206": (Exit.ERROR, "a key that cannot be part of an address"),
    "CW207": (Exit.ERROR, "a change list that contradicts the manifests"),
    "CW210": (Exit.ERROR, "a name that CloudWorks does not allow"),
    "CW211": (Exit.ERROR, "two resources of a kind with one name"),
    "CW220": (Exit.ERROR, "an integration with the wrong number of jobs"),
    "CW221": (Exit.ERROR, "a job that does not fit its connection"),
    "CW230": (Exit.ERROR, "a schedule whose calendar fields do not fit its type"),
    "CW231": (Exit.ERROR, "an unknown time zone"),
    "CW232": (Exit.ERROR, "a schedule that ends before it starts"),
    "CW233": (Exit.ERROR, "a second schedule or notification for one integration"),
    "CW240": (Exit.ERROR, "a notification that names nobody, or too many"),
    "CW250": (Exit.ERROR, "a flow whose steps cannot work together"),
    "CW260": (Exit.ERROR, "a workspace that differs between an integration and its connection"),
    # the service
    "CW301": (Exit.ERROR, "the service cannot be reached"),
    "CW302": (Exit.ERROR, "the service does not accept the credentials"),
    "CW303": (Exit.ERROR, "the user may not do this"),
    "CW304": (Exit.ERROR, "the service does not know this object"),
    "CW305": (Exit.ERROR, "the service refuses the request"),
    "CW306": (Exit.ERROR, "an integration is running"),
    "CW307": (Exit.ERROR, "the name is taken"),
    "CW308": (Exit.ERROR, "something still refers to the object"),
    "CW309": (Exit.ERROR, "too many requests"),
    "CW310": (Exit.ERROR, "the service failed"),
    "CW311": (Exit.ERROR, "the reply cannot be understood"),
    "CW312": (Exit.ERROR, "the tenant could not be read completely"),
    "CW313": (Exit.ERROR, "no reply in time: whether the change was made is not known"),
    "CW314": (Exit.ERROR, "the tenant's limit of integrations is reached"),
    "CW315": (Exit.ERROR, "what was applied reads otherwise than it was sent (a warning)"),
    "CW320": (Exit.ERROR, "a run failed, or was cancelled"),
    "CW321": (Exit.PARTLY_APPLIED, "a run succeeded in part"),
    "CW322": (Exit.ERROR, "something that CloudWorks has no call for"),
    # the state
    "CW401": (Exit.ERROR, "the state cannot be read or written"),
    "CW402": (Exit.ERROR, "the state was written by a newer cwsync"),
    "CW403": (Exit.ERROR, "the state belongs to another tenant"),
    "CW404": (Exit.LOCKED, "the state is locked by another run"),
    "CW405": (Exit.ERROR, "the state changed under this run"),
    "CW406": (Exit.ERROR, "the key of the secrets' fingerprints cannot be used"),
    "CW407": (Exit.ERROR, "an operation is pending, and the state cannot be edited there"),
    "CW408": (Exit.ERROR, "a copy of the state that is another one, or older"),
    "CW409": (Exit.ERROR, "a bucket that does not hold conditions on writes, so the state is not safe there"),
    "CW410": (Exit.ERROR, "the state has moved to another place"),
    "CW411": (Exit.ERROR, "the state is encrypted, and no key is given"),
    "CW412": (Exit.ERROR, "the state is encrypted with another key"),
    "CW413": (Exit.ERROR, "an encrypted state that is damaged, changed, or older than what was seen before"),
    "CW414": (Exit.ERROR, "a key that is not good enough to encrypt the state with"),
    "CW415": (Exit.ERROR, "a database role that may not do what keeping the state there needs"),
    # planning
    "CW501": (Exit.ERROR, "the name exists in the tenant and is not managed here"),
    "CW502": (Exit.REFUSED, "a deletion that preventDestroy forbids"),
    "CW503": (Exit.REFUSED, "more deletions than the guards allow"),
    "CW504": (Exit.REFUSED, "a deletion of something that an unmanaged object uses"),
    "CW505": (Exit.ERROR, "an unmanaged object that the tenant does not have"),
    "CW506": (Exit.ERROR, "a live object of a form that cwsync must not overwrite"),
    "CW507": (Exit.ERROR, "an address that is neither declared nor managed"),
    "CW509": (Exit.ERROR, "an object that cannot be moved or imported as it is listed"),
    # saved plans
    "CW510": (Exit.ERROR, "a plan file that cannot be read"),
    "CW511": (Exit.STALE, "the state changed since the plan was made"),
    "CW512": (Exit.STALE, "the manifests, variables or secrets changed since the plan was made"),
    "CW513": (Exit.STALE, "the tenant changed since the plan was made"),
    "CW514": (Exit.STALE, "the plan is too old"),
    "CW515": (Exit.STALE, "an earlier run left something to resolve since the plan was made"),
    "CW516": (
        Exit.ERROR,
        "a deletion and a creation that look like one resource under a new key (a warning)",
    ),
    "CW520": (Exit.ERROR, "what drifted cannot be written into the manifests"),
    "CW521": (Exit.CHANGES, "an object that was changed or deleted outside cwsync (`drift`)"),
    "CW530": (Exit.REFUSED, "a change that a policy of cwsync.yaml forbids"),
    "CW540": (Exit.ERROR, "an integration or a flow still runs after the time that --wait-running gave it"),
    "CW544": (Exit.ERROR, "the audit trail cannot be written"),
    # applying
    "CW601": (Exit.PARTLY_APPLIED, "some operations failed, others were applied"),
    "CW602": (Exit.ERROR, "no terminal to ask on, and no --auto-approve"),
    "CW603": (Exit.ERROR, "the plan was not approved"),
    "CW604": (Exit.INTERRUPTED, "interrupted"),
    "CW605": (Exit.NEEDS_PERSON, "an operation whose outcome a person must decide"),
    "CW606": (Exit.ERROR, "a decision about something that is not open, or that cannot be taken"),
    # the program
    "CW701": (Exit.ERROR, "an optional part of cwsync is not installed"),
    "CW702": (Exit.ERROR, "the emulator cannot start"),
    "CW901": (Exit.ERROR, "the command line is wrong"),
    "CW999": (Exit.ERROR, "a defect in cwsync"),
}


class Place(NamedTuple):
    """A position in a text file. Lines and columns count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: what, where, and what to do about it.

    `source` is the line of the file that `place` points into, shown with a caret below it; it is
    left out where the line may hold a secret.
    """

    code: str
    message: str
    place: Place | None = None
    hint: str | None = None
    source: str | None = None
    severity: Literal["error", "warning"] = "error"
    address: str | None = None
    details: tuple[str, ...] = field(default=())

    @property
    def exit(self) -> Exit:
        return CODES[self.code][0]


class CwsyncError(Exception):
    """What every room raises. Its text is the first problem's message; secrets are never in it."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems[0].message if problems else "")
        self.problems = problems

    @property
    def exit(self) -> Exit:
        return exit_status(self.problems)


def fail(code: str, message: str, *, place: Place | None = None, hint: str | None = None) -> CwsyncError:
    """An error of one problem, to be raised by the caller."""
    return CwsyncError(Problem(code, message, place=place, hint=hint))


# When several problems meet, the one that tells most about what happened wins.
_PRECEDENCE = (
    Exit.INTERRUPTED,
    Exit.NEEDS_PERSON,
    Exit.PARTLY_APPLIED,
    Exit.LOCKED,
    Exit.STALE,
    Exit.ERROR,
    Exit.REFUSED,
    Exit.CHANGES,
)


def exit_status(problems: Iterable[Problem], otherwise: Exit = Exit.OK) -> Exit:
    """The one function from what went wrong to the exit status; warnings do not count."""
    met = {problem.exit for problem in problems if problem.severity == "error"} | {otherwise}
    return next((status for status in _PRECEDENCE if status in met), Exit.OK)


def suggest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that `word` was most likely meant to be, for "did you mean"; None where none is near."""
    from difflib import get_close_matches

    by_lower = {choice.lower(): choice for choice in choices}
    near = get_close_matches(word.lower()[:100], by_lower, n=1, cutoff=0.6)
    return by_lower[near[0]] if near else None
