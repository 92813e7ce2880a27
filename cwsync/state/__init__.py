"""What we know is ours: the state document, the store that keeps it, its lock, and secrets' fingerprints."""

from cwsync.state.document import (
    ABSENT,
    Deposed,
    Entry,
    Fingerprint,
    Holder,
    Intent,
    Json,
    Lock,
    Origin,
    Pre,
    State,
    to_json,
)
from cwsync.state.files import Files
from cwsync.state.fingerprints import Key, compare, find_key, find_or_make_key, fingerprint
from cwsync.state.local import LocalStore
from cwsync.state.lock import Clock, Held, Timing, acquire, unlock
from cwsync.state.memory import MemoryStore
from cwsync.state.reading import from_json
from cwsync.state.store import Conflict, Store

__all__ = [
    "ABSENT",
    "Clock",
    "Conflict",
    "Deposed",
    "Entry",
    "Files",
    "Fingerprint",
    "Held",
    "Holder",
    "Intent",
    "Json",
    "Key",
    "LocalStore",
    "Lock",
    "MemoryStore",
    "Origin",
    "Pre",
    "State",
    "Store",
    "Timing",
    "acquire",
    "compare",
    "find_key",
    "find_or_make_key",
    "fingerprint",
    "from_json",
    "to_json",
    "unlock",
]
