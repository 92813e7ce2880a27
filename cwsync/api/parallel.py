"""The same function over many items, in a few threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextvars import copy_context
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    threads: int,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Result]:
    """The results in the order of the items.

    After the first failure nothing new starts; what is under way ends, and then the failure that
    stands first in the order of the items is raised. One thread means the caller's own. `tell` is called in the
    caller's thread with how many of how many are done, at first and after each. An interrupt waits for nothing: a
    reply may take minutes, and what asks for one only reads.
    """
    work = list(items)
    tell(0, len(work))
    if threads <= 1 or len(work) <= 1:
        results = []
        for item in work:
            results.append(function(item))
            tell(len(results), len(work))
        return results
    pool = ThreadPoolExecutor(min(threads, len(work)))
    try:
        futures = [pool.submit(copy_context().run, function, item) for item in work]
        for done, future in enumerate(as_completed(futures), 1):
            if future.exception() is not None:
                break
            tell(done, len(work))
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown(wait=True, cancel_futures=True)
    for future in futures:
        if not future.cancelled() and (error := future.exception()) is not None:
            raise error
    return [future.result() for future in futures]
