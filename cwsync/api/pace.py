"""How fast requests may start, learned from what the service refuses: arithmetic on given times alone."""

from __future__ import annotations

import math
from collections import deque

# The rate that the vendor documents (facts D, 429): as many may start at once, and where nothing better is
# known yet, a service that refuses is taken to have it.
DOCUMENTED = 10.0
# Waking up so late is no idleness: the next request keeps its place in the sequence.
LATE_SECONDS = 0.015
# Less cannot be told apart on a clock that counts from the start of the machine.
INSTANT_SECONDS = 1e-6

# After a refusal the rate falls to this part of what was refused, and comes back by so much of its target a second.
CUT = 0.9
BACK = 0.05
# The target is so far below what was refused: that leaves room for what networks do to the distances between
# requests. Where the target itself is refused soon, the next is twice as far below it.
BELOW, FARTHEST_BELOW = 0.02, 0.25
SOON_SECONDS = 20.0
# Having stayed at its target for so long, the rate tries for more, by so many a second. Each time that is in vain
# makes the next stay twice as long, but where it has come this far beyond: then the service has changed.
STAY_SECONDS, LONGEST_STAY_SECONDS = 90.0, 360.0
BEYOND = 0.1
FAR_BEYOND = 1.1
# Slower than any budget that has been heard of; at its own rate, a service of one a second would refuse on and on.
SLOWEST = 0.5


class Pace:
    """The times at which requests may start, in seconds of one clock. Not for several threads at once.

    `ceiling` is the most a second, None for no bound; the rate stays a little below it. After idleness up to one
    second's worth starts at once, and the next only when that second is over: a service may count in windows of a
    second, sliding or fixed, or by a token bucket, and none of these sees more than the rate in any second.

    A refusal cuts the rate by a part, once for all requests that were under way together, and ends starting several
    at once. From there it rises in even steps, stays just below what was refused for a while, and then tries for more.
    """

    def __init__(self, ceiling: float | None, now: float) -> None:
        # A service that counts in a sliding window sees two requests closer together than they were sent.
        self._ceiling = ceiling * (1 - BELOW) if ceiling else math.inf
        self.rate = self._ceiling
        self.resume = now
        self._next = now
        self._most_early = max(0.0, min(math.ceil(min(self.rate, DOCUMENTED)), DOCUMENTED) - 1)
        self._early = self._most_early
        self._target = self.rate
        self._below = BELOW
        self._stay = STAY_SECONDS
        self._stayed = 0.0
        self._cut = -math.inf
        self._learned = False
        self._heard = now
        self._through: deque[float] = deque()

    def wait(self, now: float, ahead: int = 0) -> float:
        """The seconds until one more may start, with so many ahead of it; 0 where it may now."""
        turn = self._next
        if ahead + 1 <= self._early:
            turn = now
        elif math.isfinite(self.rate):
            turn += (ahead - int(self._early)) / self.rate
        wait = max(turn, self.resume) - now
        return wait if wait > INSTANT_SECONDS else 0.0

    def begin(self, now: float) -> None:
        """A request starts."""
        late = now - self._next
        if late > LATE_SECONDS:
            self._early = min(self._most_early, late * self.rate)
            self._next = now
        elif late < -INSTANT_SECONDS:
            self._early -= 1
        self._next += 1 / self.rate

    def accepted(self, now: float) -> None:
        """The service took a request, whatever it said to it."""
        self._through.append(now)
        self._forget(now)
        # Only time in which the rate is used says something about it.
        spent, self._heard = min(now - self._heard, 1.0), now
        if self.rate < self._target:
            self.rate = min(self._target, self.rate + self._target * BACK * spent)
        elif self._stayed < self._stay:
            self._stayed += spent
        else:
            self.rate = min(self._ceiling, self.rate + BEYOND * spent)

    def refused(self, now: float, begun: float) -> None:
        """A request that started at `begun` came too soon after others (429)."""
        if begun <= self._cut:
            return
        self._forget(now)
        refused = self.rate
        if len(self._through) + 1 < refused:  # far less than was allowed has got through
            least = refused / 2 if self._learned else min(refused, DOCUMENTED)
            refused = max(float(len(self._through)), least)
        if self._stayed >= self._stay and refused > self._target:
            self._tried_in_vain(refused)
        else:
            soon = now - self._cut < SOON_SECONDS
            self._below = min(self._below * 2, FARTHEST_BELOW) if soon else BELOW
            self._target, self._stay = refused * (1 - self._below), STAY_SECONDS
        self._learned = True
        self._stayed = 0.0
        self._early = self._most_early = 0.0
        self._slow_down(now, min(refused * CUT, self._target))

    def overloaded(self, now: float, begun: float) -> None:
        """The service could not serve a request that started at `begun` (503): slower for now, and no rate learned."""
        if begun > self._cut and math.isfinite(self.rate):
            self._slow_down(now, self.rate * CUT)

    def pause(self, until: float) -> None:
        """Let nothing start before this time."""
        self.resume = max(self.resume, until)

    def _tried_in_vain(self, refused: float) -> None:
        """More than the proven target was refused, so that holds, and a little more may."""
        self._below = BELOW
        far = refused > self._target * FAR_BEYOND
        self._stay = STAY_SECONDS if far else min(2 * self._stay, LONGEST_STAY_SECONDS)
        self._target = max(self._target, refused * (1 - 2 * BELOW))

    def _slow_down(self, now: float, rate: float) -> None:
        self.rate = max(min(SLOWEST, self._ceiling), rate)
        self._cut = self._heard = now

    def _forget(self, now: float) -> None:
        while self._through and self._through[0] <= now - 1:
            self._through.popleft()
