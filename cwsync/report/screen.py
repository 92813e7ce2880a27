"""Text that is safe and straight on a terminal: escapes, widths, colours.

Names come from a tenant and from files, so they may hold anything. What a terminal would obey rather
than show (control characters, escape sequences, changes of writing direction) is written out.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

# Controls, formats (which turn the writing direction), surrogates, and spaces that look like another.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})
_PLAIN_SPACES = " \u3000"  # the wide one belongs to Japanese and Chinese names
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_STYLES = {"+": "32", "~": "33", "-": "31", "-/+": "31", "!": "31", "bold": "1", "faint": "2"}


def safe(text: str) -> str:
    """The text with whatever a terminal would not simply show written as an escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text))


def _visible(char: str) -> str:
    if char in _PLAIN_SPACES or unicodedata.category(char) not in _UNSEEN:
        return char
    number = ord(char)
    return _SHORT.get(char) or (f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}")


def width(text: str) -> int:
    """How many columns a terminal gives to the text: two to East Asian characters, none to accents."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def pad(text: str, columns: int) -> str:
    """The text with spaces behind it, up to so many columns."""
    return text + " " * (columns - width(text))


def counted(number: int, noun: str) -> str:
    """`1 object`, `2 objects`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Paint:
    """Puts text into colour where colour is wanted."""

    on: bool

    def __call__(self, style: str, text: str) -> str:
        code = _STYLES.get(style)
        return f"\x1b[{code}m{text}\x1b[0m" if self.on and code and text else text
