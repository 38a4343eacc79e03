"""The wishes of a run's folder and of the system's signals, in the shape that jobs ask for."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType

from sslstudio.learning.training.control import Control
from sslstudio.runs.folder import RunFolder

LOOK_EVERY = 0.2  # seconds between two looks at the folder while nothing else is to be done


class FolderControl(Control):
    """A job's control that reads the run's folder; SIGTERM, SIGINT and SIGHUP mean "stop and keep"."""

    def __init__(self, run: RunFolder) -> None:
        super().__init__()
        self._run = run
        self.on_resume: Callable[[], object] = lambda: None

    def stopped(self) -> bool:
        """Whether the window, the terminal or the system wants the run to end."""
        return super().stopped() or self._run.wishes("stop")

    def paused(self) -> bool:
        """Whether the window wants the run to hold still."""
        return self._run.wishes("pause") and not self.stopped()

    def wait_while_paused(self) -> None:
        """Return when a pause that was told is over and the machine is this run's again."""
        while self.paused():
            self.wait()
        self.on_resume()

    def wait(self) -> None:
        """Let a moment pass, or less when a signal asks to stop."""
        self._stop.wait(LOOK_EVERY)

    def preview_images(self) -> tuple[str, ...]:
        """The images that the window wants to see, or none when it has not said."""
        return self._run.preview() or ()

    def listen(self) -> None:
        """From now on the system's polite signals mean "stop and keep"."""
        owner = os.getpid()

        def on_signal(number: int, _frame: FrameType | None) -> None:
            if os.getpid() != owner:  # a forked helper: it has nothing to keep
                os._exit(128 + number)
            self.stop()

        for name in ("SIGTERM", "SIGINT", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), on_signal)
