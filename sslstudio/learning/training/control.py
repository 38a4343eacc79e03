"""What the outside asks of a running job: pause, stop, which images to show.

``Control`` itself is the plain one of tests and scripts; the worker's subclass reads the run's folder.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from sslstudio.runs.events import Event, Paused, Resumed


class Control:
    """Wishes that a job looks at after every step; safe to set from another thread."""

    def __init__(self, images: tuple[str, ...] = ()) -> None:
        self._images = images
        self._stop = threading.Event()
        self._go = threading.Event()
        self._go.set()

    def stop(self) -> None:
        """Ask the job to save and leave; also ends a pause."""
        self._stop.set()
        self._go.set()

    def pause(self) -> None:
        """Ask the job to hold still."""
        self._go.clear()

    def resume(self) -> None:
        """Let the job go on."""
        self._go.set()

    def show(self, images: tuple[str, ...]) -> None:
        """Say which images (relative paths) previews should show from now on."""
        self._images = images

    def stopped(self) -> bool:
        """Whether the job should save and leave."""
        return self._stop.is_set()

    def paused(self) -> bool:
        """Whether the job should hold still now."""
        return not self._go.is_set() and not self.stopped()

    def wait_while_paused(self) -> None:
        """Return at once, or when the pause ends, or when the job should stop."""
        self._go.wait()

    def preview_images(self) -> tuple[str, ...]:
        """The images (relative paths) that previews should show."""
        return self._images


def hold(control: Control) -> Iterator[Event]:
    """Say so, wait, and say so again if a pause is wished; every job does this after every step."""
    if control.paused():
        yield Paused()
        control.wait_while_paused()
        yield Resumed()
