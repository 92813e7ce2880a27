"""What a report counts in a line, and names where more is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cwsync.report.screen import counted, safe


def listed(heading: str, names: Sequence[str], named: bool) -> Iterator[str]:
    """The heading as a sentence, or the names below it."""
    yield f"{heading}:" if named else f"{heading} (-v names them)."
    if named:
        yield from (f"  {safe(name)}" for name in names)


def unseen(unmanaged: Sequence[str], unverifiable: Sequence[str], verbose: bool) -> Iterator[str]:
    """What is in the tenant and not ours, and what is ours and never shown."""
    if unmanaged:
        yield from listed(f"Not managed here: {counted(len(unmanaged), 'object')}", unmanaged, verbose)
    if unverifiable:
        fields = counted(len(unverifiable), "field")
        heading = f"Never shown by the service, so taken to be as last applied: {fields}"
        yield from listed(heading, unverifiable, verbose)
