"""Before a project is left, for another one or for good: nothing that was done may get lost on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sslstudio.language import tr
from sslstudio.ui.notice import Notice

if TYPE_CHECKING:
    from sslstudio.ui.main_window import MainWindow


def may_leave(window: MainWindow, again: Callable[[], None], anyway: Callable[[], None]) -> bool:
    """Whether the open project may be left now.

    Else the user is told what keeps it open: strokes that the disk refuses (``anyway`` drops them), or work that would
    be cut off (``again`` is called when that is over or was called off). A change to the mask that is being worked out
    needs no telling: ``again`` is called in a moment.
    """
    session = window.session
    window.canvas.lift()
    if window.canvas.searches.running:
        window.canvas.searches.then(again, last=True)
        return False
    if not (session.all_saved() or session.save_strokes()):
        window.tell(_refused_strokes(anyway))
        return False
    unfinished = session.tasks.unfinished()
    if unfinished is not None:
        from sslstudio.ui.dialogs.unfinished import UnfinishedDialog

        UnfinishedDialog(*unfinished, again, window).open()
        return False
    return True


def _refused_strokes(anyway: Callable[[], None]) -> Notice:
    return Notice(
        tr("The project stays open: your last strokes are not on the disk, which refuses them."),
        tr("Make room on the disk; they are saved by themselves then."),
        "warning",
        "saving",
        tr("Close without them"),
        anyway,
    )
