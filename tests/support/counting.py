"""How much work something is, counted and not timed: the same on every machine, however busy it is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

# What four times as much may take more than four times of: sorting, and the steps of growing containers.
LINEAR = 4.6


def steps(work: Callable[[], object]) -> int:
    """How many instructions of cwsync's own code the interpreter carries out.

    Loops inside of C, such as the copying of a dictionary, count as one.
    """
    count = 0

    def inside(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        count += event == "opcode"
        return inside

    def entered(frame: FrameType, _event: str, _argument: object) -> Any:
        if "/cwsync/" not in frame.f_code.co_filename.replace("\\", "/"):
            return None
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        return inside

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def growth(work_of: Callable[[int], Callable[[], object]], size: int) -> float:
    """How many times the work of `size` the work of four times as much is."""
    work_of(size)()  # what is built or imported once
    return steps(work_of(4 * size)) / steps(work_of(size))
