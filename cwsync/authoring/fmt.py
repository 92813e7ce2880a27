"""One layout for the YAML that people write: indentation, spaces and empty lines; never what it says.

Nothing is moved, quoted, folded or left out: the tokens and the comments stay as they are, only what is between
them is written anew. So keys keep their order, and comments, anchors, merges and quotes are what they were.
What comes out is read again, and is only given back where it says the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from cwsync.authoring.tokens import Token, body_indent, comments, like, tokens, unix
from cwsync.errors import CwsyncError, fail
from cwsync.located import Map, Seq, Source, Value, load

_STEP = 2
# A gap before a comment that is wider than this was made to align it with others.
_NEXT_TO = 2
# YAML 1.1 ends a line here, and 1.2 does not: whoever reads the file, it is not clear what it says.
_UNCLEAR = "\x85\u2028\u2029"


def formatted(text: str, file: str) -> str:
    """The text in the one layout; formatting it again changes nothing.

    Raises `CwsyncError` as `located.load` does, and CW107 where the layout would change what the file says.
    """
    before = load(text, file)
    source = Source(file, text)
    for offset, character in enumerate(text):
        if character in _UNCLEAR:
            raise fail(
                "CW107",
                f"U+{ord(character):04X} ends a line for some programs and not for others, so the file stays as it is",
                place=source.place(offset),
                hint="write it as an escape in double quotes, or leave it out",
            )
    plain = unix(text)
    made = _Writer(plain).written()
    if made == plain:
        return like(made, text)
    if not _same(plain, made, [plain_value(one.value) for one in before], file):
        raise fail(
            "CW107",
            "this file cannot be formatted without changing what it says, so it stays as it is",
            place=source.place(0),
            hint="please report it; nothing was written",
        )
    return like(made, text)


def _same(before: str, after: str, values: list[object], file: str) -> bool:
    try:
        return (
            [plain_value(one.value) for one in load(after, file)] == values
            and [one.meaning for one in tokens(after)] == [one.meaning for one in tokens(before)]
            and comments(after) == comments(before)
            and _Writer(after).written() == after
        )
    except CwsyncError:
        return False


def plain_value(value: Value) -> object:
    """A located value without its places, its keys in their order."""
    if isinstance(value, Map):
        return [(key, plain_value(item)) for key, item in value.items()]
    return [*map(plain_value, value)] if isinstance(value, Seq) else value


@dataclass(frozen=True, slots=True)
class _Block:
    """A mapping or list that is open: the columns in which its entries begin, before and now.

    `implied` is a list that is no further in than the key that it belongs to.
    """

    what: str
    old: int
    new: int
    implied: bool = False


@dataclass(frozen=True, slots=True)
class _Flow:
    """An open bracket or brace: how far in what it belongs to is, before and now."""

    old: int
    new: int


class _Writer:
    """Writes the tokens of one text, one after the other."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._out: list[str] = []
        self._column = 0
        self._line = (0, 0)  # how far in the line is that is being written, before and now
        self._blocks: list[_Block] = []
        self._flows: list[_Flow] = []
        self._last: Token | None = None

    def written(self) -> str:
        for token in tokens(self._text):
            self._token(token)
        return "".join(self._out)

    def _token(self, token: Token) -> None:
        gap = self._text[self._last.end if self._last else 0 : token.start]
        begins = self._last is None or "\n" in gap or token.what == "end"
        old = self._old_column(token.start)
        before = self._blocks.copy()
        self._close(token)
        new = self._indent(token, old) if begins else self._column + self._spaces(token)
        if token.opens:
            self._blocks.append(_Block(token.opens, old, new))
        elif token.what == "-" and self._blocks[-1].what == "map":
            self._blocks.append(_Block("list", old, new, implied=True))
        if begins:
            # A comment belongs to what follows it, where that is in the same column; else to what was open.
            columns = [(old, new), *((one.old, one.new) for one in reversed([*self._blocks, *before]))]
            self._between(gap, columns, end=token.what == "end")
            self._line = (old, new)
        self._put(" " * (new - self._column) if token.what != "end" else "")
        self._write(token)
        self._last = token

    def _old_column(self, offset: int) -> int:
        return offset - self._text.rfind("\n", 0, offset) - 1

    def _close(self, token: Token) -> None:
        """Close what ends before a token. An implied list ends with its mapping, or at that one's next key."""
        for _ in range(token.closed):
            self._close_implied()
            self._blocks.pop()
        if (token.key or token.what == "?") and not token.opens and not self._flows:
            self._close_implied()

    def _close_implied(self) -> None:
        if self._blocks and self._blocks[-1].implied:
            self._blocks.pop()

    def _indent(self, token: Token, old: int) -> int:
        """The column of a token that begins a line."""
        if self._flows:
            flow = self._flows[-1]
            flush = token.what in "]}" and old <= flow.old
            return flow.new if flush else flow.new + _STEP
        if not self._blocks or token.what in ("---", "...", "%", "end"):
            return 0
        block = self._blocks[-1]
        of_block = token.key or token.what in ("?", ":", "-")
        implies = token.what == "-" and block.what == "map"
        return block.new if of_block and not token.opens and not implies else block.new + _STEP

    def _spaces(self, token: Token) -> int:
        """How many spaces stand before a token in its line."""
        last = self._last.what if self._last else ""
        return 0 if last in "[{" or token.what in ("]", "}", ",") or self._joins(token) else 1

    def _joins(self, token: Token) -> bool:
        """Whether it is the colon of a key: that stands right behind it, but an alias would take it for its own."""
        return token.what == ":" and self._last is not None and self._last.what != "*"

    def _write(self, token: Token) -> None:
        if token.what in "[{":
            block = self._blocks[-1] if self._blocks and not self._flows else None
            self._flows.append(_Flow(block.old, block.new) if block else _Flow(*self._line))
        elif token.what in "]}":
            self._flows.pop()
        if token.what == "scalar" and "\n" in token.text:
            self._put(self._block(token) if token.style in ("|", ">") else self._folded(token))
        elif token.what != "end":
            self._put(token.text.rstrip(" \t") if token.what == "%" else token.text)

    def _block(self, token: Token) -> str:
        """A block scalar, moved as a whole: how far in its lines are beyond the first is a part of the text."""
        header, *body = token.text.split("\n")
        outer = self._blocks[-1] if self._blocks else _Block("", 0, 0)
        digits = [int(one) for one in header.partition("#")[0] if one.isdigit()]
        old, new = body_indent(body), outer.new + _STEP
        if digits:
            old, new = outer.old + digits[0], outer.new + digits[0]
        lines = [" " * new + line[old:] if len(line) > old else "" for line in body]
        return "\n".join([header.rstrip(" \t"), *lines])

    def _folded(self, token: Token) -> str:
        """A scalar that goes on in other lines: their indentation says nothing, empty lines do."""
        outer = self._flows or self._blocks
        indent = (outer[-1].new if outer else 0) + _STEP
        first, *rest = token.text.split("\n")
        lines = [first, *(" " * indent + line.lstrip(" \t") if line.strip(" \t") else "" for line in rest)]
        ends = [line if line.rstrip(" \t").endswith("\\") else line.rstrip(" \t") for line in lines[:-1]]
        return "\n".join([*ends, lines[-1]])

    def _between(self, gap: str, columns: list[tuple[int, int]], *, end: bool) -> None:
        """What stands between two lines with tokens: comments, and of several empty lines one."""
        behind, *lines = gap.split("\n") if self._last else ["", *gap.split("\n")]
        if behind.strip(" \t"):
            self._comment_behind(behind)
        if self._last and not (end and not gap and self._keeps_its_end()):
            self._put("\n")
        # The last piece is the indentation of what follows, but for a comment at the end of the file.
        pieces = lines if end else lines[:-1]
        empty = False
        for line in pieces:
            comment = line.strip(" \t")
            if comment:
                column = self._comment_column(len(line) - len(line.lstrip(" \t")), columns)
                self._put(("\n" if empty and self._out else "") + " " * column + comment + "\n")
            empty = not comment
        if empty and self._out and not end:
            self._put("\n")

    def _keeps_its_end(self) -> bool:
        """Whether a line end behind the last token would be a part of it."""
        header = self._last.text.partition("\n")[0] if self._last and self._last.style in ("|", ">") else "-"
        return "-" not in header.partition("#")[0]

    def _comment_behind(self, behind: str) -> None:
        """Next to its token, or in the column in which it was aligned with others."""
        comment = behind.lstrip(" \t")
        gap = len(behind) - len(comment)
        if gap > _NEXT_TO and self._last:
            gap = self._old_column(self._last.end) + gap - self._column
        self._put(" " * max(gap, 1) + comment.rstrip(" \t"))

    def _comment_column(self, old: int, columns: list[tuple[int, int]]) -> int:
        if self._flows:
            return self._flows[-1].new + _STEP
        return max((one for one in columns if one[0] <= old), key=lambda one: one[0], default=(0, 0))[1]

    def _put(self, text: str) -> None:
        self._out.append(text)
        line_end = text.rfind("\n")
        self._column = len(text) - line_end - 1 if line_end >= 0 else self._column + len(text)
