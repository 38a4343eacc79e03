"""Work beside the window."""

import threading

from sslstudio.ui import background


def test_long_tasks_do_not_keep_a_short_one_waiting(qtbot):
    """An import, a look into every file and a measurement may all be under way when the next image is opened."""
    leave, begun, done = threading.Event(), threading.Semaphore(0), []

    def long(task):
        begun.release()
        leave.wait(30)

    long_ones = 6  # more than a small machine has processors
    for _ in range(long_ones):
        background.run(long, lambda _: done.append("long"))
    try:
        background.run(lambda task: "short", done.append)
        qtbot.waitUntil(lambda: done == ["short"], timeout=10_000)
        for _ in range(long_ones):
            assert begun.acquire(timeout=10)
    finally:
        leave.set()
    qtbot.waitUntil(lambda: len(done) == long_ones + 1, timeout=10_000)
