"""Which calls of a plan may begin, and what has become of the others."""

from __future__ import annotations

from collections.abc import Iterable

from cwsync.apply.work import Result
from cwsync.kinds import Action
from cwsync.plan import Call, plain_address


class Frontier:
    """The calls of a plan, from waiting for each other to being over. Not for several threads at once.

    `results` and `skipped` are by the order of the plan's calls; `skipped` has reasons, or the address that a call
    waited for in vain.
    """

    def __init__(self, calls: Iterable[Call]) -> None:
        self._calls = {call.order: call for call in calls}
        self._waiting = {call.order: set(call.after) for call in self._calls.values()}
        self.results: dict[int, Result] = {}
        self.skipped: dict[int, str] = {}

    @property
    def total(self) -> int:
        return len(self._calls)

    @property
    def ready(self) -> bool:
        """Whether anything may begin."""
        return not all(self._waiting.values())

    def begin(self) -> list[Call]:
        """What may begin, in the order of the plan. It is not told again."""
        orders = sorted(order for order, after in self._waiting.items() if not after)
        for order in orders:
            del self._waiting[order]
        return [self._calls[order] for order in orders]

    def over(self, result: Result) -> None:
        """What waited for this call may begin, or, where it was not done, will not."""
        call = result.task.call
        self.results[call.order] = result
        if result.status != "done":
            self._block(call)
            return
        for after in self._waiting.values():
            after.discard(call.order)

    def skip(self, call: Call, why: str) -> None:
        """This call is not made."""
        self._waiting.pop(call.order, None)
        self.skipped[call.order] = why

    def leave_out(self, addresses: Iterable[str], why: str) -> None:
        """The calls to these are not made, and none that waits for them."""
        # An object and what it replaces wait for each other: whichever is meant, the other one stays.
        those = {plain_address(address) for address in addresses}
        for call in self._calls.values():
            if plain_address(call.address) in those and call.order in self._waiting:
                self.skip(call, why)
                self._block(call)

    def end(self, why: str) -> None:
        """Nothing more begins."""
        for order in sorted(self._waiting):
            self.skip(self._calls[order], why)

    def _block(self, call: Call) -> None:
        """Whatever waits for a call that was not made, directly or through others, is skipped.

        But a schedule that was disabled only for a change is enabled again where that was refused: the integration is
        as it was, and should run when it did. Where a request without a reply may still change it, it must not run.
        """
        result = self.results.get(call.order)
        refused = result is not None and result.status == "failed" and not result.unsure
        blocked = {call.order}
        for order in sorted(self._waiting):
            waiting = self._waiting[order]
            if refused and blocked & waiting and self._ends_a_pause(self._calls[order]):
                waiting -= blocked
            elif blocked & waiting:
                blocked.add(order)
                self.skip(self._calls[order], call.address)

    def _ends_a_pause(self, call: Call) -> bool:
        return call.action == Action.ENABLE and any(
            result.task.call.address == call.address and result.task.action is Action.DISABLE
            for result in self.results.values()
            if result.status == "done"
        )
