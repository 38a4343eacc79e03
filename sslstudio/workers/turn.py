"""One heavy run at a time on a machine: the others wait for their turn."""

from __future__ import annotations

import logging
import os
import re
import socket

from filelock import FileLock, Timeout

from sslstudio.project.recent import state_folder
from sslstudio.workers.control import FolderControl

log = logging.getLogger(__name__)


class Turn:
    """The right to keep this machine's processors (or the chosen GPUs) busy; released however the process ends."""

    def __init__(self) -> None:
        self._lock: FileLock | None = None
        # Home folders are shared between machines of a cluster, and GPUs may be parted by hand.
        place = f"{socket.gethostname()}-{os.environ.get('CUDA_VISIBLE_DEVICES', '')}"
        name = "heavy-" + re.sub(r"[^A-Za-z0-9]+", "-", place).strip("-").lower() + ".lock"
        try:
            folder = state_folder()
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(folder / name, timeout=0)
        except OSError as error:
            log.warning("No queue, because the state folder cannot be used: %s", error)

    def take(self) -> bool:
        """Take the turn if it is free; always true where the system offers no place for the lock."""
        if self._lock is None:
            return True
        try:
            self._lock.acquire()
        except Timeout:
            return False
        except (OSError, NotImplementedError) as error:
            log.warning("No queue, because the lock cannot be used: %s", error)
            self._lock = None
        return True

    def wait(self, control: FolderControl) -> bool:
        """Wait for the turn; false when the run is asked to stop meanwhile."""
        while not control.stopped():
            if self.take():
                return True
            control.wait()
        return False

    def give(self) -> None:
        """Let the next run have its turn."""
        if self._lock is not None:
            self._lock.release()
