"""Painting and looking: canvas, tools, classes, image list, status line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.project.classes import LabelClass, default_colour
from sslstudio.project.label_map import UNPAINTED
from sslstudio.regions.rect import whole
from sslstudio.ui.actions import BY_ID, CLASS_KEYS
from sslstudio.ui.canvas.pen import TOOLS
from sslstudio.ui.canvas.sampling import label_under
from sslstudio.ui.canvas.sizing import SIZED
from sslstudio.ui.notice import Notice
from sslstudio.ui.status import value_words

if TYPE_CHECKING:
    from sslstudio.project.index import ImageRecord
    from sslstudio.project.label_map import Patch
    from sslstudio.ui.main_window import MainWindow


class PaintingWiring(QObject):
    """Connects the canvas, the paint panel and the image list with the session."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window = window
        self.session = window.session
        self.canvas = window.canvas
        self.opacity = 0.45
        self._before_swap = 1
        self.order = self.canvas.taking_back.order
        self._stepping = self.order.paint  # what a change of the mask from outside is
        self._steps = (False, False)  # whether the project has something to undo, and to redo
        self._wire_session()
        self._wire_canvas()
        self._wire_actions()
        self._wire_panel()
        self._show_tool(self.canvas.tool)

    def _wire_session(self) -> None:
        session = self.session
        session.opened.connect(self._on_opened)
        session.records_changed.connect(self._on_records)
        session.record_changed.connect(self._on_record)
        session.classes_changed.connect(self._on_classes)
        session.image_chosen.connect(self._on_chosen)
        session.labels_arriving.connect(self.canvas.finish_stroke)
        session.reader.when_free = lambda deliver: self.canvas.searches.then(deliver, last=True)
        session.image_ready.connect(self._on_ready)
        session.image_failed.connect(self._on_unreadable)
        session.patched.connect(self._on_patched)
        session.history_changed.connect(self._on_history)
        session.saving_changed.connect(self.window.status.show_saved)
        self.window.browser.chosen.connect(lambda path: self.go_to(path))
        self.window.status.opacity_chosen.connect(self.set_opacity)

    def _wire_canvas(self) -> None:
        canvas, window = self.canvas, self.window
        canvas.stroke_finished.connect(self._on_stroke)
        canvas.outlines.changed.connect(self._enable_steps)
        canvas.cursor_moved.connect(self._on_cursor)
        canvas.view_changed.connect(window.status.show_zoom)
        canvas.tool_changed.connect(self._show_tool)
        canvas.brush_changed.connect(self._on_brush)
        canvas.class_changed.connect(self._show_class)
        canvas.options_changed.connect(lambda _: self._show_hand())

    def _wire_actions(self) -> None:
        act, canvas = self.window.actions_, self.canvas
        for tool in TOOLS:
            act[f"paint.{tool}"].triggered.connect(lambda _=False, tool=tool: canvas.set_tool(tool))
        for number in range(1, CLASS_KEYS + 1):
            act[f"paint.class_{number}"].triggered.connect(lambda _=False, at=number - 1: self.choose_class(at))
        plain = {
            "paint.smaller": canvas.brush_smaller,
            "paint.larger": canvas.brush_larger,
            "paint.swap": self.swap,
            "paint.class_previous": lambda: self._choose_beside(-1),
            "paint.class_next": lambda: self._choose_beside(1),
            "edit.undo": self.undo,
            "edit.redo": self.redo,
            "edit.classes": self.edit_classes,
            "view.zoom_in": canvas.zoom_in,
            "view.zoom_out": canvas.zoom_out,
            "view.fit": canvas.zoom_fit,
            "view.actual": canvas.zoom_actual,
            "image.previous": lambda: self._go(-1),
            "image.next": lambda: self._go(1),
            "image.next_unpainted": self.next_unpainted,
            "image.search": self._search,
        }
        for name, call in plain.items():
            act[name].triggered.connect(lambda _=False, call=call: call())
        act["view.masks"].setChecked(True)
        act["view.masks"].toggled.connect(self._on_masks_shown)

    def _wire_panel(self) -> None:
        panel = self.window.panels["paint"]
        panel.brush_chosen.connect(self.canvas.sizing.choose)
        panel.class_chosen.connect(self.choose_class)
        panel.class_add_wanted.connect(self.add_class)
        panel.class_rename_wanted.connect(self.rename_class)
        panel.class_recolour_wanted.connect(self.recolour_class)
        panel.class_remove_wanted.connect(self.remove_class)
        panel.import_wanted.connect(self.window.files.ask_masks)
        panel.finetune_wanted.connect(lambda: self.window.go_to_step("finetune"))
        panel.images_wanted.connect(lambda: self.window.go_to_step("images"))

    # images ---------------------------------------------------------------------------------------------

    def go_to(self, path: str, ahead: Sequence[str] = ()) -> None:
        """Show another image after a stroke under way; those ``ahead``, or next in the list, are loaded too."""
        ahead = ahead or self.window.browser.neighbours(path)
        self.canvas.searches.then(lambda: self.session.go_to(path, ahead), last=True)

    def _go(self, by: int, **wanted: Callable[[ImageRecord], bool]) -> None:
        self.canvas.searches.then(lambda: self.window.browser.go(by, **wanted), last=True)

    def next_unpainted(self) -> None:
        """Go on to the next image without a mask."""
        self._go(1, wanted=lambda record: not record.painted and not record.problem)

    def _search(self) -> None:
        self.window.actions_["view.browser"].setChecked(True)
        self.window.browser.search.setFocus()
        self.window.browser.search.selectAll()

    def _on_opened(self) -> None:
        self.order.forget()
        self._on_classes()
        self.set_opacity(float(self.session.recall("opacity", 0.45)))  # type: ignore[arg-type]
        self.canvas.set_brush(int(self.session.recall("brush", self.canvas.brush)))  # type: ignore[call-overload]
        if len(self.session.project.classes if self.session.project else ()) > 1:
            self.choose_class(1)

    def _show_hand(self) -> None:
        """Tell in the status line what a stroke would paint, since it can be painted in every step."""
        canvas, classes = self.canvas, self._classes()
        tool, at = canvas.tool, canvas.current_class
        paints = tool not in ("pan", "select") and canvas.paintable and bool(classes)
        current = classes[at] if at < len(classes) and tool != "eraser" else None
        words = canvas.gesture.size_words(canvas.pen) if canvas.gesture else ""
        self.window.status.hand.show_hand(
            BY_ID[f"paint.{tool}"].told if paints else "",
            tr("{diameter} px").format(diameter=canvas.brush) if tool in SIZED else words,
            current.name if current else "",
            current.colour if current else "",
        )

    def _on_brush(self, diameter: int) -> None:
        self._show_hand()
        self.session.remember("brush", diameter)
        self.window.redraw()

    def _on_records(self) -> None:
        self.window.browser.set_records(self.session.records)
        self.window.status.show_image(self.session.current())
        self.window.redraw()
        current = self.session.current()
        if current is None or (current.problem and self.session.pixels is None):
            first = next((record for record in self.session.records if not record.problem), None)
            if first is not None and (current is None or not self.session.tried):
                self.go_to(first.path)

    def _on_record(self, record: ImageRecord) -> None:
        self.window.browser.update_record(record)
        self.window.redraw()

    def _on_chosen(self, path: str) -> None:
        self.window.browser.show_current(path)
        self.window.status.show_image(self.session.current())
        self.window.notice.solved("image")
        self.window.redraw()

    def _on_ready(self) -> None:
        picture, labels = self.session.picture, self.session.labels
        if picture is not None and labels is not None:
            self.window.seeing.load_own(picture)
            shades = self.window.seeing.shades_for(picture)
            self.canvas.show_picture(picture, labels, self.session.image, shades)
            if self.session.strokes.waits(self.session.image):  # they were put on the labels after these were read
                self.canvas.mend(whole(labels.labels.shape))
        self.window.status.show_zoom(self.canvas.zoom)
        self.window.refresh_actions()

    def _on_unreadable(self, error: UserError) -> None:
        self.canvas.show_image(None, None)
        self.canvas.set_message(f"{error.problem}\n{error.advice}".strip())
        self.window.refresh_actions()

    # strokes --------------------------------------------------------------------------------------------

    def undo(self) -> None:
        """Take back what was done last: something that is under way, or the last stroke."""
        if not self.canvas.taking_back.back():
            self.step(self.session.undo)

    def redo(self) -> None:
        """Put it back."""
        outlines, undone = self.canvas.outlines, self.order.undone(self.canvas.key)
        stroke = undone is not None and undone < outlines.moment_again and self.session.can_redo()
        if stroke or not outlines.forward():
            self.canvas.searches.then(lambda: self.step(self.session.redo))

    def step(self, way: Callable[[], None]) -> None:
        """Have the session go a step back or forward on this image."""
        self._stepping = self.order.undo if way == self.session.undo else self.order.redo
        try:
            way()
        finally:
            self._stepping = self.order.paint

    def _on_patched(self, patch: Patch) -> None:
        self._stepping(self.canvas.key)
        self.canvas.apply_patch(patch)

    def _on_stroke(self, before: Patch, after: Patch) -> None:
        # the image that is seen: the next one may have been asked for, and be on its way
        self.order.paint(self.canvas.key)
        self.session.add_stroke(before, after, self.canvas.key)

    def refresh_steps(self) -> None:
        """Ask what can be undone and redone, and enable it."""
        self._steps = (self.session.can_undo(), self.session.can_redo())
        self._enable_steps()

    def _enable_steps(self) -> None:
        # called as the pen comes down, so nothing on the disk is asked
        act, canvas, may = self.window.actions_, self.canvas, not self.session.reading
        act["edit.undo"].setEnabled(self._steps[0] or (canvas.taking_back.possible and may))
        act["edit.redo"].setEnabled(self._steps[1] or (canvas.outlines.again and may))

    def _on_history(self) -> None:
        self.refresh_steps()
        self.window.redraw()

    def _on_cursor(self, x: int, y: int, label: int | None) -> None:
        picture, project = self.session.picture, self.session.project
        if x < 0 or picture is None or project is None or not picture.has(x, y):
            self.window.status.show_place("")
            return
        value = value_words(picture.value_at(x, y))
        names = tr("unpainted") if label is None else self._name_of(label)
        if self.canvas.predicted is not None:
            found = label_under(self.canvas.predicted, self.canvas.image_size, x, y)
            names += tr(", predicted {name}").format(name=tr("nothing") if found == UNPAINTED else self._name_of(found))
        known = f" = {value}" if value else ""  # of a huge image it may still be on its way
        self.window.status.show_place(f"{names}   x {x}  y {y}{known}")

    def _name_of(self, label: int) -> str:
        return self._names[label] if label < len(self._names) else tr("class {label}").format(label=label + 1)

    # tools and classes ----------------------------------------------------------------------------------

    def choose_class(self, at: int) -> None:
        """Paint with the class at this place from now on."""
        if at < len(self._names):
            self.canvas.set_current_class(at)
            if self.canvas.tool in ("eraser", "select", "pan"):
                self.canvas.set_tool("brush")
        self._show_class(self.canvas.current_class)

    def _choose_beside(self, by: int) -> None:
        if self._names:
            self.choose_class((self.canvas.current_class + by) % len(self._names))

    def swap(self) -> None:
        """Change between the class and the background."""
        current = self.canvas.current_class
        if current:
            self._before_swap = current
        self.choose_class(0 if current else self._before_swap)

    def set_opacity(self, opacity: float) -> None:
        """How strongly masks cover the image."""
        self.opacity = opacity
        self.canvas.set_overlay_opacity(opacity)
        self.window.status.show_opacity(opacity)
        self.session.remember("opacity", opacity)
        self.window.redraw()

    def add_class(self, name: str) -> None:
        """Add a class and paint with it."""
        old = self._classes()
        if self._set_classes((*old, LabelClass(name.strip(), default_colour(len(old))))):
            self.choose_class(len(old))

    def rename_class(self, at: int, name: str) -> None:
        """Give a class another name."""
        old = self._classes()
        self._set_classes((*old[:at], LabelClass(name.strip(), old[at].colour), *old[at + 1 :]))

    def recolour_class(self, at: int, colour: str) -> None:
        """Give a class another colour."""
        old = self._classes()
        self._set_classes((*old[:at], LabelClass(old[at].name, colour), *old[at + 1 :]))

    def remove_class(self, at: int) -> None:
        """Take a class away; asks first where something is painted with it."""
        from sslstudio.ui.dialogs.removing import RemovingDialog

        project, old = self.session.project, self._classes()
        if project is None or len(old) < 2:
            return
        pixels, images = project.class_pixels().get(old[at].name, 0), project.class_images(at)
        if images:
            RemovingDialog(old[at].name, pixels, images, lambda: self._remove((at,)), self.window).open()
        else:
            self._remove((at,))

    def edit_classes(self) -> None:
        """Open the dialog with all classes."""
        from sslstudio.ui.dialogs.classes import ClassesDialog

        project = self.session.project
        if project is not None:
            pixels = project.class_pixels()
            painted = [(pixels[one.name], project.class_images(at)) for at, one in enumerate(project.classes)]
            dialog = ClassesDialog(project.classes, painted, self.window)
            before = project.classes
            dialog.classes_chosen.connect(lambda classes, gone: self._on_edited(before, classes, gone))
            dialog.open()

    def _on_edited(
        self, before: tuple[LabelClass, ...], classes: tuple[LabelClass, ...], removed: tuple[int, ...]
    ) -> None:
        if self._classes() != before:  # by an import: what was chosen does not speak of the classes of now
            advice = tr("Open the dialog once more; they stay as they are until then.")
            self.window.tell(Notice(tr("The classes have changed meanwhile."), advice, "warning", "classes"))
        elif removed:
            self._remove(removed, classes)
        else:
            self._set_classes(classes)

    def _remove(self, places: tuple[int, ...], left: tuple[LabelClass, ...] = ()) -> None:
        self.canvas.searches.then(lambda: self._remove_now(places, left))

    def _remove_now(self, places: tuple[int, ...], left: tuple[LabelClass, ...]) -> None:
        self._leaving = ()
        self.session.remove_classes(places, left)
        if self.session.relabelling:
            self._leaving = places
            self.canvas.show_image(None, None)
            self.canvas.set_message(tr("Taking the class out of all masks …"))

    def _classes(self) -> tuple[LabelClass, ...]:
        return self.session.project.classes if self.session.project else ()

    def _set_classes(self, classes: tuple[LabelClass, ...]) -> bool:
        try:
            if self.session.relabelling:
                problem = tr("A class is being taken out of all masks") + "."
                raise UserError(problem, tr("Change the classes once that is over."))
            self.session.set_classes(classes)
        except UserError as error:
            self.window.tell(Notice(error.problem, error.advice, "warning", "classes"))
            self.window.redraw()
            return False
        self.window.notice.solved("classes")
        return True

    def _on_classes(self) -> None:
        classes, current = self._classes(), self.canvas.current_class
        if self._leaving and len(classes) == len(self._names) - len(self._leaving):
            # the class in the hand stays in it, in its new place
            gone, self._leaving = self._leaving, ()
            later = current - sum(place < current for place in gone)
            self.canvas.set_current_class(min(1, len(classes) - 1) if current in gone else later)
        self._names = [one.name for one in classes]
        self.canvas.set_classes(classes)
        for number in range(1, CLASS_KEYS + 1):
            action = self.window.actions_[f"paint.class_{number}"]
            action.setVisible(number <= len(classes))
            action.setText(
                classes[number - 1].name if number <= len(classes) else tr("Class {number}").format(number=number)
            )
        self._show_class(self.canvas.current_class)

    _names: list[str] = []  # noqa: RUF012  (replaced whole, never changed)
    _leaving: tuple[int, ...] = ()  # places of classes that are being taken away

    def _show_tool(self, tool: str) -> None:
        self.window.actions_[f"paint.{tool}"].setChecked(True)
        self._show_hand()
        self.window.redraw()

    def _show_class(self, at: int) -> None:
        for number in range(1, CLASS_KEYS + 1):
            self.window.actions_[f"paint.class_{number}"].setChecked(number == at + 1)
        self._show_hand()
        self.window.redraw()

    def _on_masks_shown(self, shown: bool) -> None:
        self.canvas.set_masks_visible(shown)
        self.window.redraw()
