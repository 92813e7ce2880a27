"""The store in an object of a bucket: compare-and-swap by conditional writes.

The reply to a write that was made can be lost, and a proxy can have sent it twice: then the service reports a
conflict with our own document. So after every error the object is read back, and its nonce tells.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from uuid import uuid4

from cwsync.errors import CwsyncError, fail
from cwsync.state.bucket import Found, Objects, Version, open_bucket
from cwsync.state.codec import PLAIN, Codec
from cwsync.state.document import State
from cwsync.state.reading import identity
from cwsync.state.store import advanced, opened, require_unchanged
from cwsync.state.troubles import Trouble

PAUSES = (1.0, 2.0, 4.0)
"""Seconds between the tries of a write that was certainly not made. Google takes one write a second of an
object."""


class ObjectStore:
    """One object. Where there is none yet, the first commit first tries whether the bucket holds conditions."""

    def __init__(
        self,
        url: str,
        objects: Objects,
        path: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        codec: Codec = PLAIN,
    ) -> None:
        self._url = url
        self._objects = objects
        self._path = path
        self._sleep = sleep
        self._codec = codec
        self._known: tuple[tuple[object, ...], Version] | None = None

    @classmethod
    def at(
        cls, url: str, *, sleep: Callable[[float], None] = time.sleep, codec: Codec = PLAIN
    ) -> ObjectStore:
        """The store of s3://…, gs://… or az://…. Raises CW701 and CW401."""
        bucket, path = open_bucket(url)
        return cls(url, bucket, path, sleep=sleep, codec=codec)

    def read(self) -> State | None:
        found = self._get()
        if found is None:
            return None
        state = opened(found.data, self.describe(), self._codec)
        self._known = state.identity, found.version
        return state

    def raw(self) -> bytes | None:
        found = self._get()
        return self._codec.decode(found.data, self.describe()) if found else None

    def describe(self) -> str:
        return f"the state {self._url}"

    def commit(self, old: State | None, new: State) -> State:
        """As `Store.commit`. Raises CW409 where the bucket does not hold conditions: then nothing was written."""
        over = self._version_of(old)
        if old is None:
            self._probe()
        document = advanced(old, new)
        data = self._codec.encode(document)
        for pause in (*PAUSES, None):
            try:
                version = self._objects.put(self._path, data, over)
            except Trouble as trouble:
                found = self._get()
                if found is None or identity(found.data, self.describe()) != document.identity:
                    require_unchanged(found.data if found else None, old, self.describe(), self._codec)
                    if trouble.final or pause is None:
                        raise self._failed("written", trouble) from None
                    over = found.version if found else None
                    self._sleep(pause)
                    continue
                version = found.version
            self._known = document.identity, version
            return document
        raise AssertionError("the last try ends in one way or the other")

    def _version_of(self, old: State | None) -> Version | None:
        """What must be there for `old` to be what is stored."""
        if old is None:
            return None
        if self._known is not None and self._known[0] == old.identity and self._known[1]:
            return self._known[1]
        found = self._get()
        require_unchanged(found.data if found else None, old, self.describe(), self._codec)
        if found is None or not found.version:
            raise self._unfit("it does not tell one version of an object from another")
        return found.version

    def _get(self) -> Found | None:
        try:
            return self._objects.get(self._path)
        except Trouble as trouble:
            raise self._failed("read", trouble) from None

    def _probe(self) -> None:
        for pause in (*PAUSES, None):
            try:
                wrong = not_held(self._objects, self._path)
            except Trouble as trouble:
                if trouble.unknown:
                    raise self._unfit(trouble.reason) from None
                if trouble.final or pause is None:
                    raise self._failed("written", trouble) from None
                self._sleep(pause)
                continue
            if wrong:
                raise self._unfit(wrong)
            return

    def _failed(self, what: str, trouble: Trouble) -> CwsyncError:
        return fail("CW401", f"{self.describe()} cannot be {what}: {trouble.reason}", hint=trouble.hint)

    def _unfit(self, why: str) -> CwsyncError:
        return fail(
            "CW409",
            f"{self.describe()} would not be safe there: {why}, so two runs could overwrite each other's work",
            hint="keep it where conditional writes hold (Amazon S3, Google Cloud Storage, Azure Blob Storage, and "
            "compatible services that check If-None-Match and If-Match), or in a file",
        )


def not_held(objects: Objects, path: str) -> str | None:
    """What the bucket does not hold of conditions, tried on an object of its own beside `path`; None: all is well.

    Some services that are called compatible ignore conditions, and accept every write. Raises `Trouble`.
    """
    beside = f"{path}.probe-{uuid4().hex}"
    try:
        first = objects.put(beside, b"1", None)
        if _accepted(objects, beside, b"2", None):
            return "it lets a second writer create what is there already"
        if not first:
            return "it does not tell one version of an object from another"
        objects.put(beside, b"3", first)
        if _accepted(objects, beside, b"4", first):
            return "it lets a writer replace what another one has changed since"
    finally:
        with suppress(Trouble):  # whoever may not delete leaves one small object
            objects.delete(beside)
    return None


def _accepted(objects: Objects, path: str, data: bytes, over: Version | None) -> bool:
    try:
        objects.put(path, data, over)
    except Trouble as trouble:
        if trouble.condition:
            return False
        raise
    return True
