"""How many threads compute: as many as are faster just now.

Every operation of a network waits for the slowest of its threads. Where another program (a painting window, a
second run) takes one processor, a thread on each of two processors was measured to be ten times slower than one
thread alone, because the waiting ones take the time of the one they wait for. On a quiet machine all
processors are faster. Neither is known beforehand, and it changes while a run works, so it is tried.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

import torch

_TRIAL = 2  # steps for each count in a trial, after one in which libraries prepare for it; one where steps are long
_LONG = 1.0  # seconds
_AGAIN = 30.0  # seconds of work until the other count is tried again; doubled each time that it loses
_LONGEST = 240.0
_JAM = 2.0  # a step that takes so many times the usual means that a processor was taken away
_FIRST = 2.0  # times longer yet may a count's first step take, in which libraries prepare for it


class ThreadPace:
    """Chooses between all processors and one less; tell it how long each step took.

    ``cores`` is the number of processors, ``use`` sets the number of threads.
    """

    def __init__(self, cores: int, use: Callable[[int], None] = torch.set_num_threads) -> None:
        self._counts = (max(1, cores - 1), cores)
        self._use = use
        self.threads = self._counts[0]  # the choice that is never very wrong
        self._took: dict[int, list[float]] = {count: [] for count in self._counts}
        self._trying: list[int] = []
        self._usual = 0.0
        self._worked, self._wait = 0.0, _AGAIN
        if self._counts[0] != cores:
            self._begin_trial()
        use(self.threads)

    def step_took(self, seconds: float, work: float = 1.0) -> None:
        """Note a step of ``seconds`` and set the threads for the next one; ``work`` is how much it had to do."""
        if self._counts[0] == self._counts[1]:
            return
        each = seconds / work
        if self._trying:
            self._note_trial(each, long=seconds > _LONG)
        elif self.threads == self._counts[1] and self._usual and each > _JAM * self._usual:
            self._begin_trial()
        else:
            self._usual = each if not self._usual else 0.8 * self._usual + 0.2 * each
            self._worked += seconds
            if self._worked > self._wait:
                self._begin_trial()

    def _begin_trial(self) -> None:
        """Measure the count in use first, then the other."""
        other = next(count for count in self._counts if count != self.threads)
        self._trying = [self.threads, other]
        self._took = {count: [] for count in self._counts}
        self._before = self.threads

    def _note_trial(self, each: float, *, long: bool) -> None:
        took = self._took[self._trying[0]]
        took.append(each)
        enough = 1 if long else _TRIAL
        if len(took) <= enough and not self._is_jam():
            return
        self._trying.pop(0)
        if self._trying:
            self._set(self._trying[0])
            return
        times = {count: statistics.median(took[1:] or took) for count, took in self._took.items()}
        best = min(times, key=times.__getitem__)
        self._wait = _AGAIN if best != self._before else min(2 * self._wait, _LONGEST)
        self._usual, self._worked = times[best], 0.0
        self._set(best)

    def _is_jam(self) -> bool:
        """Whether the second count has lost already, so that it need not be suffered longer."""
        if len(self._trying) == 2:
            return False
        took, other = self._took[self._trying[0]], min(self._took[self._before][1:])
        return took[-1] > _JAM * other * (_FIRST if len(took) == 1 else 1.0)

    def _set(self, count: int) -> None:
        self.threads = count
        self._use(count)


def pace_for(device: torch.device, processes: int) -> ThreadPace:
    """The pace of a run: threads matter where a CPU trains alone, and are left as they are elsewhere."""
    threads = torch.get_num_threads()
    if device.type == "cpu" and processes == 1:
        return ThreadPace(threads)
    return ThreadPace(1, use=lambda _: None)
