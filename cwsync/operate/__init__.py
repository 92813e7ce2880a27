"""Running what is managed: start, follow, cancel, and look at what came of it (facts A2, A4, A6).

Nothing here changes what is configured, so it needs neither the state's lock nor an intent: a run that may or
may not have begun is told, and never begun a second time.
"""

from cwsync.operate.follow import FlowWatch, follow, look_at_run
from cwsync.operate.look import (
    read_dumps,
    read_errors,
    read_flow,
    read_history,
    read_run,
    what_went_wrong,
)
from cwsync.operate.start import begin, cancel, no_cancel
from cwsync.operate.target import Target, chosen_steps, find_target, labels
from cwsync.operate.waiting import outlast

__all__ = [
    "FlowWatch",
    "Target",
    "begin",
    "cancel",
    "chosen_steps",
    "find_target",
    "follow",
    "labels",
    "look_at_run",
    "no_cancel",
    "outlast",
    "read_dumps",
    "read_errors",
    "read_flow",
    "read_history",
    "read_run",
    "what_went_wrong",
]
