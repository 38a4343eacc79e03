"""Says what a checkpoint holds: ``python -m sslstudio.workers.inspect FILE [BACKBONE]`` prints one JSON object."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from sslstudio.errors import UserError


def main(words: list[str]) -> int:
    """Print the inspection, or the error in words with exit code 2."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # a library that prints must not garble the answer
    from sslstudio.learning.backbones.foreign import inspect

    try:
        found = inspect(Path(words[0]), words[1] if len(words) > 1 else "")
    except UserError as error:
        out.write(json.dumps({"error": {"problem": error.problem, "advice": error.advice}}) + "\n")
        return 2
    told = found.report.sentence() if found.report else ""
    out.write(json.dumps({**asdict(found), "told": told}) + "\n")
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
