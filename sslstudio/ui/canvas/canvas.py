"""The widget that shows one image with its mask and lets people paint.

Three parts do the work: ``Scene`` keeps the picture ready, ``Pen`` changes the mask, and this widget turns events into
calls of the two. How events are read stands in ``input.py``, where the image lies in ``board.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from sslstudio.images.huge_picture import Pixels
from sslstudio.language import tr
from sslstudio.project.label_map import UNPAINTED
from sslstudio.ui.canvas import decorations, floating
from sslstudio.ui.canvas.board import Board
from sslstudio.ui.canvas.input import Hand
from sslstudio.ui.canvas.minimap import Minimap
from sslstudio.ui.canvas.offers import Offers
from sslstudio.ui.canvas.outlines import Outlines
from sslstudio.ui.canvas.overlay import background_index, colour_table
from sslstudio.ui.canvas.pen import TOOLS, Pen
from sslstudio.ui.canvas.pyramid import LabelPyramid
from sslstudio.ui.canvas.scene import SURROUND, Layers
from sslstudio.ui.canvas.searches import Searches
from sslstudio.ui.canvas.sizing import Sizing
from sslstudio.ui.canvas.steps import BRUSH_MAX, BRUSH_MIN
from sslstudio.ui.canvas.taking_back import TakingBack
from sslstudio.ui.canvas.tiled import image_pyramid, plane_pyramid
from sslstudio.ui.canvas.tools import GESTURES, Gesture
from sslstudio.ui.canvas.viewport import Rect
from sslstudio.ui.tool_options import ToolOptions

if TYPE_CHECKING:
    from sslstudio.images.look import Shade
    from sslstudio.images.picture import Picture
    from sslstudio.images.pixel_size import PixelSize
    from sslstudio.project.classes import LabelClass
    from sslstudio.project.label_map import LabelMap, Labels, Patch

PREDICTION_MODES = ("over", "beside", "swipe")


class Canvas(Board):
    """Shows an image under its mask; brush, eraser, polygon and fill change the mask in place.

    Signals:
        stroke_finished: The mask was changed; patches of before and after, to be stored.
        lifted: A stroke has ended, as ``Ended`` tells, whether it changed the mask or not.
        cursor_moved: The pixel under the pointer and its class (None if unpainted); -1, -1, None outside.
        tool_changed, brush_changed, class_changed, options_changed: By a setter, the wheel or a pick.
        query_hovered: In attention mode, the place under the pointer in image pixels.
    """

    stroke_finished = Signal(object, object)
    lifted = Signal(object)
    cursor_moved = Signal(int, int, object)
    tool_changed = Signal(str)
    brush_changed = Signal(int)
    class_changed = Signal(int)
    options_changed = Signal(object)
    query_hovered = Signal(float, float)
    window_dragged = Signal(float, float, bool)  # right and up since the press, widget pixels; whether it begins
    _hand: Hand = None  # type: ignore[assignment]  # events come before and after the object's own life

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hand = Hand(self)
        self.setObjectName("canvas")
        self.setAccessibleName(tr("Canvas"))
        self.setMinimumSize(240, 180)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.key = ""
        self.pen = Pen()
        self.gesture: Gesture | None = None  # what the tool does, where it is more than a brush
        self.attention, self.paintable = False, True
        self._options = self.pen.options  # those that were told
        self._map: LabelMap | None = None
        self._mask: LabelPyramid | None = None
        self._live: LabelPyramid | None = None
        self._classes: tuple[LabelClass, ...] = ()
        self._opacity, self._masks_visible, self._hatch = 0.45, True, True
        self._filled, self._differences = True, False
        self.pixel_size: PixelSize | None = None
        self.scale_bar, self._message = True, ""
        self.taking_back = TakingBack(self)
        self.searches, self.offers = Searches(self), Offers(self)
        self.outlines, self.sizing = Outlines(self), Sizing(self)
        self.minimap = Minimap(self)
        self._arrivals.arrived.connect(self.minimap.image_changed)
        self._hand.show_cursor()

    # --- what is shown ---------------------------------------------------------------------------------------------

    def show_picture(
        self, picture: Picture, labels: LabelMap, key: str = "", shades: tuple[Shade, ...] | None = None
    ) -> None:
        """Show an image as its file holds it, in these shades; None: as ``show_image`` shows its ``rgb8``."""
        self.show_image(picture.rgb8, labels, key)
        self._scene.planes, self._scene.shades = plane_pyramid(picture.finite), shades
        self.pixel_size = picture.pixel_size
        self.minimap.redraw()

    def set_shades(self, shades: tuple[Shade, ...] | None) -> None:
        """Show the picture in other shades; None: as it is in 8 bit."""
        if shades != self._scene.shades:
            self._scene.shades = shades
            self._scene.stale_shades()
            self.minimap.redraw()
            self.update()

    def set_seen(self, rgb8: np.ndarray | Pixels) -> None:
        """What tools go by, (H, W, 3) uint8: what people see."""
        if self.pen.image is not None and rgb8.shape == self.pen.image.shape:
            self.pen.image = rgb8  # type: ignore[assignment]

    def set_filled(self, wanted: bool) -> None:
        """Whether masks are filled, or outlines only."""
        self._filled = wanted
        self._recolour()

    def set_differences(self, wanted: bool) -> None:
        """Whether the prediction is striped where the mask is painted and says something else."""
        self._differences = wanted
        self.rearrange()

    def set_scale_bar(self, wanted: bool) -> None:
        """Whether a bar tells how long things are, where the file knows how large its pixels are."""
        self.scale_bar = wanted
        self.update()

    def show_image(self, rgb8: np.ndarray | None, labels: LabelMap | None, key: str = "") -> None:
        """Show an (H, W, 3) uint8 image, which is shared and must not change, and its mask.

        A stroke under way is finished first; an outline goes on when its image comes back. What lies over it belongs
        to the image before and is dropped. Zoom and place stay where the size does. None: the message instead.
        """
        self.finish_stroke()
        self.outlines.keep()
        self.forget()
        if rgb8 is not None and labels is not None and rgb8.shape[:2] != labels.labels.shape:
            raise ValueError(f"a mask of {labels.labels.shape} does not fit an image of {rgb8.shape[:2]}")
        old_size = self._scene.size
        self.key, self._map = key, labels
        self._scene.image = None if rgb8 is None else image_pyramid(rgb8)
        self._arrivals.watch(rgb8.image if isinstance(rgb8, Pixels) else None)
        self._scene.planes = self._scene.shades = self.pixel_size = None
        self._mask = None if labels is None else LabelPyramid(labels.labels)
        self.pen.turn_to(None if labels is None or rgb8 is None else labels.labels, rgb8)
        self._prediction, self._live, self._scene.heat = None, None, None
        self.offers.forget()
        self._hand.query = None
        self._fade.end()
        if self._scene.size != old_size:
            self.zoom_fit()
        self.rearrange()
        self._scene.stale_image()
        self.outlines.bring_back()
        self._hand.show_cursor()
        self._hand.report_place()

    def set_message(self, text: str) -> None:
        """The quiet text that stands in place of an image."""
        self._message = text
        self.update()

    def set_classes(self, classes: Sequence[LabelClass]) -> None:
        """Names and colours; a label is its place in the list."""
        self._classes = tuple(classes)
        if self._classes and self.pen.label >= len(self._classes):
            self.set_current_class(len(self._classes) - 1)
        self._recolour()

    def set_overlay_opacity(self, opacity: float) -> None:
        """How strongly classes tint the image, 0..1."""
        self._opacity = min(max(opacity, 0.0), 1.0)
        self._recolour()

    def set_background_hatch(self, wanted: bool) -> None:
        """Whether what is painted as background carries a faint hatch."""
        self._hatch = wanted
        self._recolour()

    def set_masks_visible(self, visible: bool) -> None:
        """Whether the painted mask is shown."""
        self._masks_visible = visible
        self.rearrange()

    def set_prediction(self, labels: Labels | None, mode: str = "over") -> None:
        """What a model found, (h, w) uint8, any size: "over" the image, "beside" it, or under a "swipe" divider."""
        if mode not in PREDICTION_MODES:
            raise ValueError(f"{mode!r} is none of {PREDICTION_MODES}")
        self._prediction = None if labels is None else LabelPyramid(labels)
        self._mode = mode
        self.rearrange()

    def set_prediction_visible(self, visible: bool) -> None:
        """Whether the prediction is shown."""
        self._prediction_visible = visible
        self.rearrange()

    def set_live_overlay(self, labels: Labels | None) -> None:
        """What the model that is being trained finds, (h, w) uint8, any size; the old one fades into it."""
        if labels is None and self._live is None:
            return  # nothing changes, so nothing fades
        before = self.snapshot()
        self._live = None if labels is None else LabelPyramid(labels)
        self.rearrange()
        self._fade.begin(before)

    @property
    def live_overlay(self) -> np.ndarray | None:
        """What ``set_live_overlay`` shows now."""
        return None if self._live is None else self._live.base[:, :]

    @property
    def predicted(self) -> Labels | None:
        """What a model found and is in sight now, (h, w) uint8, any size."""
        shown = self._live or (self._prediction if self._prediction_visible else None)
        return shown.base if shown else None

    def set_heat(self, heat: np.ndarray | None) -> None:
        """An attention map (h, w), 0..1, any size, laid over the image; labels are only outlined meanwhile."""
        bounded = None if heat is None else np.clip(np.nan_to_num(np.asarray(heat, np.float32)), 0, 1)
        self._lay_over(None if bounded is None else np.round(bounded * 255).astype(np.uint8))

    def set_colours(self, colours: np.ndarray | None) -> None:
        """Colours (h, w, 3) uint8, any size, laid over the image; labels are only outlined meanwhile."""
        self._lay_over(colours)

    def _lay_over(self, heat: np.ndarray | None) -> None:
        self._scene.heat = heat
        self._scene.stale_image()
        self._recolour()

    def set_attention_mode(self, wanted: bool) -> None:
        """Whether moving the pointer asks for the attention of the place under it."""
        self.attention = wanted
        self._hand.query = None
        self._hand.show_cursor()
        self.update()

    def apply_patch(self, patch: Patch) -> None:
        """Put a piece of mask on the map (undo, redo, a change from outside) and repaint its rectangle."""
        if self._map is None:
            return
        self.finish_stroke()
        self._map.put(patch)
        height, width = patch.labels.shape
        self.mend(Rect(patch.left, patch.top, patch.left + width, patch.top + height))
        self._hand.report_place()

    # --- what is in the hand ---------------------------------------------------------------------------------------

    @property
    def tool(self) -> str:
        """The tool in the hand."""
        return self.pen.tool

    @property
    def brush(self) -> int:
        """The brush's diameter in image pixels."""
        return self.pen.diameter

    @property
    def current_class(self) -> int:
        """The class that is painted."""
        return self.pen.label

    def set_tool(self, tool: str) -> None:
        """Take one of ``TOOLS`` into the hand; a stroke under way keeps its own until the button is up."""
        if tool not in TOOLS:
            raise ValueError(f"{tool!r} is none of {TOOLS}")
        if self._hand.keeps(tool) or tool == self.pen.tool or not (self.paintable or tool == "pan"):
            return
        self.lift()
        self.outlines.keep()
        self.forget()
        self.pen.tool = tool
        self.gesture = GESTURES[tool]() if tool in GESTURES else None
        self.outlines.bring_back()
        self._hand.show_cursor()
        self.update()
        self.tool_changed.emit(tool)

    def set_paintable(self, wanted: bool) -> None:
        """Whether the mask may be changed by hand; where it may not, the hand only moves the image."""
        if wanted != self.paintable:
            self.lift()
            self.set_tool("pan")
            self.paintable = wanted
            self.set_tool("brush")  # nothing else is in the hand of somebody who opens a project

    @property
    def options(self) -> ToolOptions:
        """How tools work and what they may change."""
        return self.pen.options

    def set_options(self, options: ToolOptions) -> None:
        """Other options from now on; a stroke under way keeps its own."""
        old, self.pen.options, self._options = self._options, options, options
        if options != old:
            if options.hidden != old.hidden:
                self._recolour()
            self.update()
            self.options_changed.emit(options)

    @property
    def colour(self) -> QColor:
        """The colour of the current class."""
        label = self.pen.label
        return QColor(self._classes[label].colour if label < len(self._classes) else "#ffffff")

    def set_brush(self, diameter: int) -> None:
        """The brush's diameter in image pixels."""
        diameter = min(max(int(diameter), BRUSH_MIN), BRUSH_MAX)
        if diameter == self.pen.diameter:
            return
        self.update_pointer()
        self.pen.diameter = diameter
        self.update_pointer()
        self.brush_changed.emit(diameter)

    def brush_larger(self, *, steps: int = 1) -> None:
        """About a tenth larger per step; other tools take more, or larger patches, or nothing at all."""
        self.sizing.turn(steps)

    def brush_smaller(self, *, steps: int = 1) -> None:
        """About a tenth smaller per step; other tools take less."""
        self.sizing.turn(-steps)

    def set_current_class(self, index: int) -> None:
        """The class to paint from now on; a stroke under way keeps its own."""
        if index != self.pen.label and 0 <= index < (len(self._classes) or UNPAINTED):
            self.pen.label = index
            self.update()
            self.class_changed.emit(index)

    def finish_stroke(self) -> None:
        """Lift the pen, and wait for what is still being looked for; better ``searches.then``, which does not wait."""
        self.lift()
        self.searches.settle()

    def lift(self) -> bool:
        """Lift the pen, wherever it is; whether what it has drawn changed anything."""
        self._hand.pace.catch_up()
        if self.gesture is not None and self._hand.gesturing:
            self.mend(self.gesture.release(self.pen))
            self.set_options(self.pen.options)
        self.offers.hear_gesture()
        drawn, patches = self.pen.drawn, self.pen.finish()
        self._hand.let_go()
        if not self.searches.hold(drawn) and patches is not None:
            self.stroke_finished.emit(*patches)
        ended, self.pen.last = self.pen.last, None
        if ended is not None:
            self.lifted.emit(ended)
        self._hand.report_place()
        self.searches.collect()
        self.outlines.look()
        return patches is not None

    def finish_gesture(self) -> None:
        """Do what Enter does."""
        self._hand.finish()

    def cancel_stroke(self) -> None:
        """Take back what was drawn since the pen touched; drop searches, and the outline, which undo brings back."""
        self.outlines.drop()
        self.mend(self.pen.cancel())
        self.searches.cancel()
        self.forget()
        self._hand.let_go()
        self._hand.report_place()
        self.outlines.look()
        self.update()

    def select(self, rect: Rect) -> None:
        """Select a rectangle of the image; an empty one selects nothing."""
        self.pen.selection = rect
        self.update()

    def forget(self) -> None:
        """Forget corners and whatever else was begun without changing the mask."""
        self.pen.points.clear()
        if self.gesture is not None:
            self.gesture.cancel()
            self.offers.hear_gesture()

    @property
    def hand(self) -> Hand:
        """What the user's hand does here."""
        return self._hand

    @property
    def busy(self) -> bool:
        """Whether something was begun that Enter finishes and Esc cancels."""
        return self.pen.busy or (self.gesture is not None and self.gesture.busy)

    def act(self, changes: Iterable[tuple[Rect, np.ndarray]]) -> bool:
        """Put new labels on rectangles, as one edit and within what may change; whether anything did."""
        if self.pen.labels is None or not self.paintable:
            return False
        self.finish_stroke()
        changed = [self.pen.put(rect, labels) for rect, labels in changes]
        for rect in changed:
            self.mend(rect)
        self.finish_stroke()
        return any(not rect.empty for rect in changed)

    # --- repainting ------------------------------------------------------------------------------------------------

    def mend(self, rect: Rect) -> None:
        """Repaint a rectangle of the mask."""
        if rect.empty or self._mask is None:
            return
        self._mask.changed(rect)
        self.minimap.mend(rect)
        self._repaint(self._scene.changed(rect))

    def point_nowhere(self) -> None:
        """The pointer is on something that lies over the canvas."""
        self._hand.leave()

    def update_pointer(self) -> None:
        """Repaint where the brush's outline is."""
        if self.sizing.words:
            self.update()
        for centre, radius in floating.brush_outlines(self, self._hand):
            reach = 1.5 * radius + 12
            self.update(QRectF(centre.x() - reach, centre.y() - reach, 2 * reach, 2 * reach).toAlignedRect())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Copy what is ready, then draw what floats above it."""
        painter = QPainter(self)
        if self._scene.image is None:
            painter.fillRect(event.rect(), QColor(*SURROUND))
            decorations.draw_message(painter, self._message, QRectF(self.rect()))
            return
        self._scene.refresh()
        self.draw_panes(painter)
        self._fade.draw(painter)
        floating.draw(painter, self, self._hand)
        self._hand.pace.seen()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the whole image whole, or the middle in the middle."""
        self._fade.end()
        self.rearrange()
        self.minimap.settle()

    def event(self, event: QEvent) -> bool:
        """Let the hand read what has no handler of its own."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self.rearrange()
        return (self._hand is not None and self._hand.read(event)) or super().event(event)

    def sizeHint(self) -> QSize:
        """Large: the canvas takes what the panels leave."""
        return QSize(800, 600)

    # --- inside ----------------------------------------------------------------------------------------------------

    def rearrange(self) -> None:
        """Have the right layers in panes of the right size."""
        shown = self._prediction if self._prediction_visible else None
        under = self._live or (shown if self._mode == "over" else None)
        layers = [Layers(self._mask if self._masks_visible else None, under, over=self.offers.pyramid)]
        if self.split != "over":
            layers.append(Layers(None, shown))
        if self._differences and self._mask is not None and shown is not None:
            layers[-1].compared = (self._mask, shown)
        self._keep_place()
        self._scene.arrange(layers, *self._pane_area)
        for pane in self._scene.panes:
            pane.shown.setDevicePixelRatio(self.devicePixelRatioF())
        self._recolour()

    def _recolour(self) -> None:
        look, plain = self._scene.look, self._scene.heat is None  # tints would change the heat's colours
        ground = self._scene.image.brightness if self._scene.image else 0.0
        look.filled = self._filled and plain
        look.table = colour_table(self._classes, self._opacity, self._hatch and plain, look.filled, ground)
        look.table.reshape(4, 4, 256)[0, :, sorted(self.options.hidden)] = 0
        look.hatched = background_index(self._classes) if self._hatch and plain else -1
        self._scene.stale_labels()
        self.minimap.redraw()
        self.update()
