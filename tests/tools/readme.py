"""The tables of README.md that are made from the code. `make readme` writes them anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from cwsync.errors import CODES
from cwsync.kinds import KINDS, Behaviour

README = Path(__file__).resolve().parents[2] / "README.md"
_REGION = re.compile(r"(<!-- `make readme` writes this: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_UNVERIFIABLE = (Behaviour.WRITE_ONLY, Behaviour.NOT_READ_BACK)


def codes() -> Iterator[str]:
    yield "| code | exit | what it means |"
    yield "|---|---|---|"
    for code, (status, meaning) in CODES.items():
        yield f"| {code} | {status.value} | {meaning} |"


def unverifiable() -> Iterator[str]:
    yield "| field | because | compared with |"
    yield "|---|---|---|"
    for kind in KINDS.values():
        for rule in kind.rules:
            if rule.behaviour in _UNVERIFIABLE:
                secret = rule.behaviour is Behaviour.WRITE_ONLY
                other = "a keyed fingerprint of" if secret else "where it is missing:"
                reason = re.sub(r" \(facts [^)]*\)", "", rule.reason)
                yield f"| {kind.name} `{rule.path}` | {reason} | {other} what was last applied |"


TABLES: dict[str, Callable[[], Iterator[str]]] = {"codes": codes, "unverifiable": unverifiable}


def refreshed(text: str) -> str:
    """The text of README.md with its tables as they should be."""
    return _REGION.sub(
        lambda found: "".join((found[1], *(f"{x}\n" for x in TABLES[found[2]]()), found[3])), text
    )


def replaced(text: str, by: str, tables: Mapping[str, Sequence[str]]) -> str:
    """The text with these tables in the places that the command `by` writes; the others stay as they are."""
    region = re.compile(rf"(<!-- `{by}` writes this: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
    return region.sub(
        lambda found: (
            "".join((found[1], *(f"{line}\n" for line in tables[found[2]]), found[3]))
            if found[2] in tables
            else found[0]
        ),
        text,
    )


if __name__ == "__main__":
    before = README.read_text(encoding="utf-8")
    README.write_text(refreshed(before), encoding="utf-8")
    print("README.md was up to date" if refreshed(before) == before else "README.md is written anew")
