"""Start-up: CPU seconds (user + system) and wall seconds until the window is shown, and its memory.

Each start is a process of its own, with a warm disk cache. Usage: ``python benchmarks/startup.py [starts]``.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROBE = """
import json, os, resource, sys, time
began = time.perf_counter()
from PySide6.QtCore import QTimer
from sslstudio.ui.app import make_application
app = make_application()
from sslstudio.ui.main_window import MainWindow
window = MainWindow()
window.show()
def shown():
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({
        "cpu_s": used.ru_utime + used.ru_stime,
        "wall_s": time.perf_counter() - began,
        "memory_mb": used.ru_maxrss / 1024,
        "heavy": [name for name in ("torch", "pyqtgraph", "tifffile", "qtawesome", "timm") if name in sys.modules],
    }))
    app.quit()
QTimer.singleShot(0, shown)
app.exec()
"""


def start() -> dict:
    """One start in a process of its own."""
    with tempfile.TemporaryDirectory() as state:
        surroundings = {**os.environ, "SSLSTUDIO_STATE": state}
        surroundings.setdefault("QT_QPA_PLATFORM", "offscreen" if not os.environ.get("DISPLAY") else "xcb")
        done = subprocess.run(
            [sys.executable, "-c", PROBE], cwd=ROOT, env=surroundings, capture_output=True, text=True, check=True
        )
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    """Start several times; the first one only warms the disk."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    start()
    found = [start() for _ in range(times)]
    result = {key: round(statistics.median(one[key] for one in found), 3) for key in ("cpu_s", "wall_s", "memory_mb")}
    result["heavy_imports"] = sorted({name for one in found for name in one["heavy"]})
    result["starts"] = times
    print(f"{'CPU seconds until shown':28} {result['cpu_s']:8.2f}   (aim: under 1.5; best peer: 2.7)")
    print(f"{'wall seconds until shown':28} {result['wall_s']:8.2f}")
    print(f"{'memory, MB':28} {result['memory_mb']:8.0f}   (best peer: 195)")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
