"""A few threads that work through what they are given, and never hold the process.

`concurrent.futures` waits for its threads when the interpreter ends. After an interrupt nobody may wait
for a reply that takes minutes, so these end with the process; what they had in flight is in the state.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

Job = TypeVar("Job")
Product = TypeVar("Product")


@dataclass(frozen=True, slots=True)
class Done(Generic[Job, Product]):
    """A job that is over: what it gave, or what it raised. With neither, it was not begun."""

    job: Job
    product: Product | None = None
    error: BaseException | None = None


class Crew(Generic[Job, Product]):
    """At most `size` threads, which take jobs in the order in which they are given, until `stopping` says so."""

    def __init__(
        self, work: Callable[[Job], Product | None], size: int, stopping: Callable[[], bool]
    ) -> None:
        self._work = work
        self._stopping = stopping
        self._size = size
        self._threads = 0
        self._todo: SimpleQueue[Job | None] = SimpleQueue()
        self._done: SimpleQueue[Done[Job, Product]] = SimpleQueue()

    def give(self, job: Job) -> None:
        self._todo.put(job)
        if self._threads < self._size:
            self._threads += 1
            run, name = copy_context().run, f"cwsync-apply-{self._threads}"
            Thread(target=run, args=(self._run,), name=name, daemon=True).start()

    @property
    def queued(self) -> int:
        """How many jobs nobody has begun yet."""
        return self._todo.qsize()

    def done(self, patience: float) -> list[Done[Job, Product]]:
        """What is over by now; where nothing is, up to `patience` seconds are waited for it."""
        over: list[Done[Job, Product]] = []
        try:
            over.append(self._done.get(timeout=patience))
            while True:
                over.append(self._done.get_nowait())
        except Empty:
            return over

    def withdraw(self) -> list[Job]:
        """Take back every job that nobody has begun."""
        jobs: list[Job] = []
        try:
            while True:
                job = self._todo.get_nowait()
                if job is not None:
                    jobs.append(job)
        except Empty:
            return jobs

    def dismiss(self) -> None:
        """Begin nothing more. What is being worked on is not waited for."""
        self.withdraw()
        for _ in range(self._threads):
            self._todo.put(None)

    def _run(self) -> None:
        while (job := self._todo.get()) is not None:
            try:
                self._done.put(Done(job) if self._stopping() else Done(job, self._work(job)))
            except BaseException as error:  # noqa: BLE001 - it is the coordinator's to judge, whatever it is
                self._done.put(Done(job, error=error))
