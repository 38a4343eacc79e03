"""The other end of ``forge.py``: asks for jobs and reads what workers told."""

import json
import os
import subprocess
import sys
from pathlib import Path


class Forge:
    """A process that forks workers on request; a context manager."""

    def __enter__(self):
        quiet = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("forge.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **quiet},
        )
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        assert self._process.wait() == 0
        self._process.stdout.close()

    def ask(self, *job):
        """All that was told, as lists of words, the last of them "ended"; what a kill tore is left out."""
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        told = []
        for line in self._process.stdout:
            try:
                words = json.loads(line)
            except ValueError:
                continue
            assert words[0] != "error", words[1]
            told.append(words)
            if words[0] == "ended":
                return told
        raise AssertionError("the forge has ended")
