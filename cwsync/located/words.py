"""libyaml's complaints in words that help."""

from __future__ import annotations

import re

import yaml

from cwsync.errors import Problem
from cwsync.located.values import Source

# What libyaml says (its context, a bar, its problem); whether what matters is where it noticed or where
# the thing began; the message, which may name where the thing began; the way out.
_WORDS = (
    (
        r"quoted.*end of stream",
        "began",
        "a quotation mark opens here and is never closed",
        "close the quotation",
    ),
    (
        r"mapping values are not allowed",
        "noticed",
        "a ':' where none can stand",
        "quote the text if the colon belongs to it; otherwise check the indentation of this line",
    ),
    (
        r"flow sequence",
        "noticed",
        "the list that opens with '[' at {began} is not continued or closed",
        "a ',' or the closing bracket is missing",
    ),
    (
        r"flow mapping",
        "noticed",
        "the mapping that opens with '{{' at {began} is not continued or closed",
        "a ',' or the closing bracket is missing",
    ),
    (
        r"block (mapping|collection|sequence)",
        "noticed",
        "this does not fit into what begins at {began}",
        "check the indentation: fields of one mapping, and items of one list, start in one column",
    ),
    (
        r"escape",
        "noticed",
        "an escape that YAML does not know",
        "in double quotes a backslash begins an escape; use single quotes to take it as it is",
    ),
    (
        r"expected node content",
        "noticed",
        "a value is expected here",
        "something is missing before this, or it does not belong here",
    ),
    (
        r"<document start>",
        "noticed",
        "this does not belong to what stands before it",
        "a second document starts with '---'; otherwise look for what is missing just above",
    ),
    (r"could not find expected ':'", "began", "a key without a ':' after it", "write 'key: value'"),
)


def in_words(error: yaml.YAMLError, source: Source) -> Problem:
    """The problem that a parser's error stands for, at its place."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return source.problem("CW102", "not valid YAML", 0)
    noticed = min(error.problem_mark.index, len(source.text))
    began = error.context_mark.index if error.context_mark is not None else noticed
    said = f"{error.context}|{error.problem}"
    if "cannot start any token" in said:
        return _cannot_start(source, noticed)
    if source.text[noticed - 1 : noticed + 1] == "${":
        message = "inside braces or brackets, a text with ${ in it needs quotes"
        return source.problem("CW102", message, noticed - 1, hint='write "${var.name}", with the quotes')
    for pattern, which, message, hint in _WORDS:
        if re.search(pattern, said):
            offset = began if which == "began" else noticed
            return source.problem("CW102", message.format(began=source.place(began)), offset, hint=hint)
    return source.problem("CW102", f"not valid YAML: {error.problem}", noticed)


def _cannot_start(source: Source, offset: int) -> Problem:
    character = source.text[offset : offset + 1]
    if character == "\t":
        return source.problem("CW102", "a tab in the indentation", offset, hint="indent with spaces")
    message = f"a value cannot start with '{character}'"
    return source.problem("CW102", message, offset, hint="put the value in quotes")
