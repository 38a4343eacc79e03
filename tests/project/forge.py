"""Forks workers from a process that has everything imported, so that a round takes milliseconds; run as a script.

Each line of its input is a job: ["labour", project, kind, seed, count, seconds] is killed in its count-th action;
["attempt", project, action, n, errno, mode] meets an error at its n-th system call that saves. What workers tell
goes to standard output, and then ["ended", wait status, ...].
"""

import json
import os
import select
import signal
import sys
import traceback
from pathlib import Path


def forked(function, *arguments):
    """Run a function in a process of its own; its id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        function(*arguments)
        code = 0
    except BaseException:  # noqa: BLE001  (told to the parent, whatever it is)
        os.write(1, (json.dumps(["error", traceback.format_exc()]) + "\n").encode())
    finally:
        os._exit(code)


def ended(*words):
    os.write(1, ("\n" + json.dumps(["ended", *words]) + "\n").encode())


def kill_within(fork, labourer, path, kind, seed, count, seconds):
    """The wait status of a worker, killed so many seconds after it began its ``count``-th action (0: opening)."""
    heard, ready = os.pipe()
    child = fork(labourer.labour, path, kind, seed, ready, count)
    os.close(ready)
    death = os.pidfd_open(child)
    select.select([heard], [], [])
    select.select([death], [], [], seconds)
    os.kill(child, signal.SIGKILL)
    os.close(heard)
    os.close(death)
    return os.waitpid(child, 0)[1]


def main():
    import attempts
    import labourer

    for line in sys.stdin:
        job, path, *about = json.loads(line)
        if job == "labour":
            ended(kill_within(forked, labourer, Path(path), *about))
        else:
            ended(*attempts.supervise(forked, Path(path), *about))


if __name__ == "__main__":
    main()
