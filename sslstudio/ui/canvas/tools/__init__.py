"""Tools that need more than a brush: one file each; none knows Qt."""

from __future__ import annotations

from sslstudio.ui.canvas.tools.box import Box
from sslstudio.ui.canvas.tools.gesture import Gesture, View
from sslstudio.ui.canvas.tools.lasso import Lasso
from sslstudio.ui.canvas.tools.livewire import LiveWire
from sslstudio.ui.canvas.tools.select import Select
from sslstudio.ui.canvas.tools.similar import Similar
from sslstudio.ui.canvas.tools.superpixel import SuperpixelPaint
from sslstudio.ui.canvas.tools.wand import Wand

__all__ = ["GESTURES", "Gesture", "View"]

GESTURES: dict[str, type[Gesture]] = {
    "lasso": Lasso,
    "wand": Wand,
    "box": Box,
    "superpixels": SuperpixelPaint,
    "livewire": LiveWire,
    "similar": Similar,
    "select": Select,
}
