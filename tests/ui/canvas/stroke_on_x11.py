"""Run on an X server: a window that is busy while a real pointer draws a circle; prints how far off the stroke is.

Its own process, since a test process has one Qt platform only.
"""

from __future__ import annotations

import json
import math
import subprocess

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QTimer

from sslstudio.project.classes import LabelClass
from sslstudio.project.label_map import LabelMap
from sslstudio.ui.app import make_application
from sslstudio.ui.canvas import Canvas

EVENTS, RADIUS = 60, 150  # the pointer's places, and widget pixels


def main() -> None:
    """Show a canvas, draw while it is busy, tell what was painted."""
    app = make_application()
    canvas = Canvas()
    canvas.set_classes([LabelClass("background", "#999999"), LabelClass("cell", "#e69f00")])
    canvas.set_current_class(1)
    canvas.setGeometry(0, 0, 640, 480)
    canvas.show_image(np.full((480, 640, 3), 90, np.uint8), LabelMap(np.full((480, 640), 255, np.uint8)))
    canvas.set_brush(5)
    canvas.show()
    canvas.stroke_finished.connect(lambda *patches: QTimer.singleShot(0, app.quit))
    QTimer.singleShot(500, lambda: draw(canvas))
    QTimer.singleShot(20_000, app.quit)
    app.exec()
    middle = canvas.image_point(QPointF(320, 240))
    rows, columns = np.nonzero(canvas.pen.labels[:, :] == 1)
    away = np.hypot(columns + 0.5 - middle[0], rows + 0.5 - middle[1]) * canvas.zoom
    print(json.dumps({"painted": len(rows), "nearest": float(away.min()) if len(rows) else 0.0}))


def draw(canvas: Canvas) -> None:
    """Move the X server's pointer, and handle nothing until it has arrived."""
    corner = canvas.mapToGlobal(QPoint(0, 0))
    words: list[object] = ["xdotool"]
    for event in range(EVENTS + 1):
        turn = 2 * math.pi * event / EVENTS
        x, y = 320 + RADIUS * math.cos(turn), 240 + RADIUS * math.sin(turn)
        words += ["mousemove", corner.x() + round(x), corner.y() + round(y), *([] if event else ["mousedown", 1])]
    subprocess.run([str(word) for word in (*words, "mouseup", 1)], check=True)


if __name__ == "__main__":
    main()
