"""What a run has cost the service, as a value that is quick to load."""

from __future__ import annotations

from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True)
class Stats:
    """What a run has cost so far, or a part of it. Signing in is apart, in the fields that begin with `token_`.

    `refused` counts 429 and 503. Of the seconds over all threads, `paced` were waited for the request's turn, and
    `paused` before a request was sent again, or because the service asked all to wait. `token_seconds` are all that
    signing in took, with what it waited.
    """

    calls: int = 0
    mutations: int = 0
    retries: int = 0
    refused: int = 0
    paced: float = 0.0
    paused: float = 0.0
    token_calls: int = 0
    token_retries: int = 0
    token_refused: int = 0
    token_paced: float = 0.0
    token_paused: float = 0.0
    token_seconds: float = 0.0

    @property
    def waited(self) -> float:
        return self.paced + self.paused + self.token_paced + self.token_paused

    @property
    def troubles_of_signing_in(self) -> Stats:
        """Its retries, refusals and waits, in the fields that all else has them in."""
        return Stats(
            retries=self.token_retries,
            refused=self.token_refused,
            paced=self.token_paced,
            paused=self.token_paused,
        )

    def __add__(self, other: Stats) -> Stats:
        return Stats(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))

    def __sub__(self, other: Stats) -> Stats:
        return Stats(*(mine - its for mine, its in zip(astuple(self), astuple(other), strict=True)))
