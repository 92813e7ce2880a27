"""YAML text -> plain values that know their file, line and column.

The project and the manifests are read by this and nothing else. See `values` for what comes out
(every scalar is text), `builder` for what is refused and the bounds, `reading` for files.
"""

from cwsync.errors import suggest
from cwsync.located.reading import load, read
from cwsync.located.values import (
    Document,
    Map,
    Path,
    Root,
    Seq,
    Source,
    Value,
    at,
    clone,
    has,
    overlay,
    place,
    problem,
)

__all__ = [
    "Document",
    "Map",
    "Path",
    "Root",
    "Seq",
    "Source",
    "Value",
    "at",
    "clone",
    "has",
    "load",
    "overlay",
    "place",
    "problem",
    "read",
    "suggest",
]
