"""Where in a text the values of a located document end, and what stands around them."""

from __future__ import annotations

from bisect import bisect_left

from cwsync.authoring.tokens import Token, tokens
from cwsync.located import Map, Seq, Value


class Spans:
    """A text that `located.load` has read, by the offsets of what is in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = list(tokens(text))
        self._starts = [one.start for one in self._tokens]

    def token(self, offset: int) -> Token | None:
        """What begins at an offset; None where a value is left out."""
        index = self._index(offset)
        return self._tokens[index] if self._starts[index] == offset else None

    def before(self, offset: int) -> Token:
        """The last token that begins before an offset."""
        return self._tokens[self._index(offset) - 1]

    def content(self, offset: int) -> Token:
        """What a value begins with, its anchor aside."""
        index = self._index(offset)
        return self._tokens[index + 1 if self._tokens[index].what == "&" else index]

    def end(self, offset: int, value: Value) -> int:
        """Where a value ends that begins at an offset."""
        first = self.content(offset)
        if not isinstance(value, Map | Seq) or first.what == "*":
            return first.end
        index = self._index(first.start)
        return self._flow_end(index) if first.what in ("[", "{") else self._block_end(index)

    def comments(self, start: int, end: int) -> list[str]:
        """The comments between two offsets."""
        found, last = list[str](), start
        for token in self._tokens[self._index(start) :]:
            gap = self.text[last : min(token.start, end)]
            found += [line.strip(" \t") for line in gap.split("\n") if line.strip(" \t")]
            last = token.end
            if token.start >= end:
                break
        return found

    def column(self, offset: int) -> int:
        return offset - self.line(offset)

    def line(self, offset: int) -> int:
        """Where the line begins that an offset is in."""
        return self.text.rfind("\n", 0, offset) + 1

    def next_line(self, offset: int) -> int:
        end = self.text.find("\n", offset)
        return len(self.text) if end < 0 else end + 1

    def first_in_line(self, offset: int) -> bool:
        return not self.text[self.line(offset) : offset].strip(" ")

    def _index(self, offset: int) -> int:
        return bisect_left(self._starts, offset)

    def _flow_end(self, index: int) -> int:
        depth = 0
        for token in self._tokens[index:]:
            depth += (token.what in ("[", "{")) - (token.what in ("]", "}"))
            if not depth:
                return token.end
        raise AssertionError("a text that was read has closed its brackets")

    def _block_end(self, index: int) -> int:
        """A list may be no further in than its key: then it ends at the next one."""
        implied = not self._tokens[index].opens
        depth, flows, last = 1, 0, self._tokens[index]
        for token in self._tokens[index + 1 :]:
            depth -= token.closed
            if depth < 1 or (implied and depth == 1 and not flows and token.key and not token.opens):
                break
            depth += bool(token.opens)
            flows += (token.what in ("[", "{")) - (token.what in ("]", "}"))
            last = token
        return last.end
