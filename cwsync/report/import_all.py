"""What came of `import --all`: what is managed now, in which files, and what was left out, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cwsync.errors import Problem
from cwsync.kinds import KINDS
from cwsync.report.document import problem_list, to_json
from cwsync.report.problems import problems_text
from cwsync.report.screen import Paint, counted, pad, safe, width


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An object that is not managed now, although it was asked for."""

    kind: str
    name: str
    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportResult:
    """`files` are those that were written, with the addresses in each; `bound` are addresses that were declared
    before. `added` is what was put into cwsync.yaml, `variables` where secrets will be found (name: ADDR.FIELD),
    `unshown` what the service does not show of a resource, so that the manifest's word stands for it."""

    environment: str
    tenant: str
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    bound: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    unshown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def imported(self) -> tuple[str, ...]:
        return (*(address for of in self.files.values() for address in of), *self.bound)

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind were imported."""
        found = Counter(address.partition(".")[0] for address in self.imported)
        return {kind: found[kind] for kind in KINDS}


def import_all_json(result: ImportResult) -> str:
    return to_json(
        {
            "environment": result.environment,
            "tenant": result.tenant,
            "imported": result.counts,
            "files": [{"file": file, "addresses": of} for file, of in result.files.items()],
            "bound": result.bound,
            "added": result.added,
            "leftOut": [
                {"kind": one.kind, "name": one.name, "id": one.id, "reason": one.reason}
                for one in result.left_out
            ],
            "secrets": [
                {"fromEnv": name, "address": where.rpartition(".")[0], "field": where.rpartition(".")[2]}
                for name, where in result.variables.items()
            ],
            "unshown": result.unshown,
            "notes": result.notes,
            "problems": problem_list(result.problems),
        }
    )


def import_all_text(result: ImportResult, *, color: bool, quiet: bool = False) -> str:
    paint = Paint(color)
    blocks = [] if quiet else [*_blocks(result)]
    blocks.append(problems_text(result.problems, color))
    blocks.append(paint("bold", _summary(result)))
    if result.imported and not quiet:
        then = "" if result.problems else ": it says No changes"
        blocks.append(f"Next: look through the files, commit them, and run cwsync plan{then}.")
    return "\n\n".join(block for block in blocks if block)


def _blocks(result: ImportResult) -> Iterator[str]:
    files = {file: _count(of) for file, of in result.files.items()}
    if result.added:
        files["cwsync.yaml"] = f"added: {', '.join(result.added)}"
    yield _block("Written:", files)
    yield _block("Declared before, and managed now:", dict.fromkeys(result.bound, ""))
    names = {f'{one.kind} "{one.name}" ({one.id})': one.reason for one in result.left_out}
    yield "\n".join(
        ["Left out:", *(f"  {safe(name)}: {safe(why)}" for name, why in names.items())] * bool(names)
    )
    yield _block(
        "The service does not show these, so the manifests' word stands for them:",
        dict.fromkeys(result.unshown, ""),
    )
    yield _block("", dict.fromkeys(result.notes, ""))
    needed = (
        "Secrets to provide as environment variables before these are changed (plan and validate need none):"
    )
    yield _block(needed, result.variables)


def _block(title: str, rows: Mapping[str, str]) -> str:
    if not rows:
        return ""
    columns = max(width(safe(name)) for name in rows)
    lines = (f"  {pad(safe(name), columns)}  {safe(about)}".rstrip() for name, about in rows.items())
    return "\n".join([title, *lines] if title else lines)


def _count(addresses: tuple[str, ...]) -> str:
    found = Counter(address.partition(".")[0] for address in addresses)
    return ", ".join(counted(found[kind], kind) for kind in KINDS if found[kind])


def _summary(result: ImportResult) -> str:
    left = f" {counted(len(result.left_out), 'object')} left out." if result.left_out else ""
    if not result.imported:
        nothing = "Nothing was imported." if left or result.problems else "Nothing unmanaged was found."
        return f"{nothing}{left}"
    return f"Imported: {_count(result.imported)}.{left} No call changed the tenant."
