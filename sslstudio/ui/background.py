"""Work beside the window: a function runs in a thread of the pool, its result comes back as a signal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal, Slot

from sslstudio.errors import UserError

_under_way: set[Task] = set()  # keeps tasks alive until their result was delivered
THREADS = 16
"""Tasks that may run at once. They wait for disks and processes more than they compute, and Qt's own number, one
per processor, would let an import and a look into every file keep the next image from opening."""


class Cancelled(Exception):
    """Raised by a function that leaves early because its task was cancelled."""


class _Runnable(QRunnable):
    """Calls a task's function in a thread of the pool."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self._task = task

    def run(self) -> None:
        """Call the function; whatever it returns or raises is carried back to the window's thread."""
        task = self._task
        try:
            outcome: object = task.work(task)
        except BaseException as error:  # noqa: BLE001  (carried to the window's thread, raised or shown there)
            task._ended.emit(None, error)
        else:
            task._ended.emit(outcome, None)
        finally:
            task.left.set()


class Task(QObject):
    """One function under way.

    Signals:
        progressed: What the function passed to ``report``.
        done: Its result.
        failed: The UserError that it raised; anything else is a bug and raised in the window's thread.
        over: Nothing of it is under way any more, cancelled or not; whether it came to its end.
    """

    progressed = Signal(object)
    done = Signal(object)
    failed = Signal(object)
    over = Signal(bool)
    _reported = Signal(object)
    _ended = Signal(object, object)

    def __init__(self, work: Callable[[Task], Any]) -> None:
        super().__init__()
        self.work = work
        self.cancelled = False
        self.left = threading.Event()  # set when the function is left, before the window hears of it
        # Through a slot of this object, so that closures connected to the public signals run in its thread too.
        self._reported.connect(self._on_reported)
        self._ended.connect(self._on_ended)

    def report(self, value: object) -> None:
        """Tell the window how far it is; called by the function, in its thread. Raises Cancelled."""
        if self.cancelled:
            raise Cancelled
        self._reported.emit(value)

    def cancel(self) -> None:
        """Drop the result; the function may look at ``cancelled`` and leave early."""
        self.cancelled = True

    @Slot(object)
    def _on_reported(self, value: object) -> None:
        if not self.cancelled:
            self.progressed.emit(value)

    @Slot(object, object)
    def _on_ended(self, outcome: object, error: BaseException | None) -> None:
        _under_way.discard(self)
        self.over.emit(error is None)
        if self.cancelled:
            return
        if isinstance(error, UserError):
            self.failed.emit(error)
        elif error is not None:
            sys.excepthook(type(error), error, error.__traceback__)
        else:
            self.done.emit(outcome)


def run(
    work: Callable[[Task], Any],
    done: Callable[[Any], None] | None = None,
    failed: Callable[[UserError], None] | None = None,
    *,
    pool: QThreadPool | None = None,
    progressed: Callable[[Any], None] | None = None,
) -> Task:
    """Start ``work(task)`` in a thread; ``done`` or ``failed`` is called in the thread of this call."""
    task = Task(work)
    if done is not None:
        task.done.connect(done)
    if failed is not None:
        task.failed.connect(failed)
    if progressed is not None:
        task.progressed.connect(progressed)
    _under_way.add(task)
    (pool or _shared_pool()).start(_Runnable(task))
    return task


def _shared_pool() -> QThreadPool:
    pool = QThreadPool.globalInstance()
    pool.setMaxThreadCount(max(THREADS, pool.maxThreadCount()))
    return pool
