"""How the state of an environment is kept: in which store, and whether it is encrypted."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cwsync.cli.outside import Outside
    from cwsync.project import Project
    from cwsync.secret import SecretSource
    from cwsync.state import Files, Store
    from cwsync.state.codec import Codec
    from cwsync.state.sealed import KeySource, Sealed
    from cwsync.state.seen import Seen


class Keeping:
    """Keys are read when they are first needed, and once. `tell` gets what a person should know, each but once."""

    def __init__(self, project: Project, outside: Outside, tell: Callable[[str], None]) -> None:
        self._project = project
        self._outside = outside
        self._tell = cache(tell)
        given = project.environment.encryption
        self._encryption = given
        self._key = None if given is None else _source(given.key, project.root)
        self._previous = None if given is None else _source(given.previous, project.root)

    def store(self, place: str, *, trusting: bool = False) -> Store:
        """The store at a place, which is written as `state` in cwsync.yaml is.

        With `trusting` it also takes an encrypted state that is older than this machine has seen, or that is
        encrypted no more.
        """
        if self._encryption is None:
            from cwsync.state.codec import PLAIN

            return self._store(place, PLAIN)
        codec = self._sealed(trusting=trusting)
        store = self._store(place, codec)
        if self._key is None:
            self._seen.forget()  # only of an encrypted state it is remembered how new it is
            return store
        from cwsync.state.seen import RememberingStore

        lasting = None if "://" in place else partial(self._files.fsync_folder, self._path(place).parent)
        return RememberingStore(store, self._seen, codec, lasting=lasting, trusting=trusting)

    def decoded(self, data: bytes, where: str) -> bytes:
        """The text of a copy, which may be encrypted as the state is. Raises CW412 and CW413."""
        if self._encryption is None:
            return data
        from cwsync.state.sealed import Sealed

        # Nothing is told of it: a copy is not what the next command encrypts, and in clear is how pull prints it.
        return Sealed(self._key, self._previous).decode(data, where)

    def newest(self, lineage: str) -> int:
        """The highest serial of an encrypted state that this machine has seen, or 0."""
        return self._seen.serials().get(lineage, 0)

    def _sealed(self, *, trusting: bool) -> Sealed:
        from cwsync.state.sealed import Sealed

        clear = trusting or self._key is None or not self._seen.serials()
        return Sealed(self._key, self._previous, clear=clear, tell=self._tell)

    def _store(self, place: str, codec: Codec) -> Store:
        store = self._opened(place, codec)
        return store if self._outside.around is None else self._outside.around(store)

    def _opened(self, place: str, codec: Codec) -> Store:
        if "://" not in place:
            from cwsync.state import LocalStore

            return LocalStore(self._path(place), files=self._outside.files, codec=codec)
        sleep = self._outside.sleep
        if place.startswith(("postgresql://", "postgres://")):
            from cwsync.state.postgres import PostgresStore

            return PostgresStore.at(place, self._project.environment.name, sleep=sleep, codec=codec)
        from cwsync.state.object import ObjectStore

        return ObjectStore.at(place, sleep=sleep, codec=codec)

    def _path(self, place: str) -> Path:
        return self._project.root / place

    @property
    def _files(self) -> Files:
        from cwsync.state import Files

        return self._outside.files or Files()

    @property
    def _seen(self) -> Seen:
        from cwsync.state.seen import Seen

        return Seen(
            self._path(f".cwsync/{self._project.environment.name}.seen.json"), files=self._outside.files
        )


def _source(secret: SecretSource | None, root: Path) -> KeySource | None:
    if secret is None:
        return None
    from cwsync.state.sealed import SealingKey

    return cache(lambda: SealingKey.of(secret.read(root).get_secret_value(), str(secret)))
