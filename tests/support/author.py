"""YAML as somebody might write it: any indentation, spaces, quotes and comments."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from hypothesis import strategies as st


@dataclass
class Author:
    """Writes a value as somebody might, with comments and empty lines wherever they may stand."""

    random: Random
    lines: list[str] = field(default_factory=list)
    count: int = 0

    def chance(self, most: int = 3) -> bool:
        return self.random.randint(0, most) == 0

    def spaces(self, least: int = 1) -> str:
        return " " * self.random.randint(least, 4)

    def comment(self) -> str:
        self.count += 1
        return f"#{' ' * self.random.randint(0, 2)}comment {self.count}"

    def end(self, line: str) -> None:
        """A line, what may stand behind it, and what may come before the next."""
        self.lines.append(line + (self.spaces() + self.comment() if self.chance() else ""))
        while self.chance():
            self.lines.append(self.spaces(0) + (self.comment() if self.chance(1) else ""))

    def block(self, value: object, indent: int) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                self.entry(f"{' ' * indent}{key}:", item, indent)
        elif isinstance(value, list):
            for item in value:
                self.entry(f"{' ' * indent}-", item, indent)

    def entry(self, head: str, item: object, indent: int) -> None:
        if not isinstance(item, dict | list) or not item or self.chance():
            if isinstance(item, str) and self.chance() and item.isascii():
                style = self.random.choice(["|", ">-", "|+"])
                self.lines.append(f"{head} {style}")
                self.lines.append(f"{' ' * indent}{self.spaces()}{item or 'x'}")
                return
            self.end(head + self.spaces() + self.flow(item))
            return
        self.end(head)
        flush = isinstance(item, list) and head.endswith(":") and self.chance(1)
        self.block(item, indent + (0 if flush else self.random.randint(1, 5)))

    def flow(self, value: object) -> str:
        if isinstance(value, dict):
            inner = f"{self.spaces(0)},{self.spaces()}".join(
                f"{k}:{self.spaces()}{self.flow(v)}" for k, v in value.items()
            )
            return f"{{{self.spaces(0)}{inner}{self.spaces(0)}}}"
        if isinstance(value, list):
            inner = f"{self.spaces(0)},{self.spaces()}".join(map(self.flow, value))
            return f"[{self.spaces(0)}{inner}{self.spaces(0)}]"
        quote = self.random.choice(["'", '"'])
        return str(value) if str(value).isalnum() and self.chance(1) else f"{quote}{value}{quote}"


KEYS = st.text("abcdefg-", min_size=1, max_size=6).filter(lambda key: key[0] != "-")
TEXTS = st.one_of(
    st.sampled_from(["007", "12:45", "on", "a # b", "x: y", "- z", "é", "null"]),
    st.text("abc 0:#{}[],&*!|>%@-", max_size=12).map(str.strip),
)
VALUES = st.recursive(
    TEXTS,
    lambda inner: st.dictionaries(KEYS, inner, max_size=4) | st.lists(inner, max_size=4),
    max_leaves=12,
)
