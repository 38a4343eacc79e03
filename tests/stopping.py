"""A run that is asked to stop in the midst of it."""

from sslstudio.learning.training.control import Control


class StopsAfter(Control):
    """Wishes a stop when it has been asked so many times (about once per step)."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self._times = times

    def stopped(self) -> bool:
        self._times -= 1
        return self._times < 0
