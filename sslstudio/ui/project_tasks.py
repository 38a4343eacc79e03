"""What goes on beside the window with the open project; nothing of it outlives the project."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sslstudio.errors import UserError
from sslstudio.ui import background


class ProjectTasks:
    """The tasks that were begun for the open project and are not over yet."""

    def __init__(self) -> None:
        self._under_way: dict[background.Task, str] = {}

    def run(
        self,
        work: Callable[[background.Task], Any],
        done: Callable[[Any], None] | None = None,
        failed: Callable[[UserError], None] | None = None,
        *,
        progressed: Callable[[Any], None] | None = None,
        unfinished: str = "",
    ) -> background.Task:
        """Run ``work(task)`` in a thread as ``background.run`` does; nobody hears of it once the project is closed.

        ``unfinished`` tells, in words, what would be cut off by closing the project meanwhile; empty for nothing.
        """
        task = background.run(work, done, failed, progressed=progressed)
        self._under_way[task] = unfinished
        task.over.connect(lambda _: self._under_way.pop(task, None))
        return task

    def unfinished(self) -> tuple[background.Task, str] | None:
        """The oldest task that closing the project would cut off, and what it is; None for none."""
        return next(((task, words) for task, words in self._under_way.items() if words), None)

    def close(self) -> None:
        """Call all off, and wait for those that closing would cut off: each leaves what it has done whole."""
        tasks, self._under_way = self._under_way, {}
        for task in tasks:
            task.cancel()
        for task, words in tasks.items():
            if words:
                task.left.wait()
