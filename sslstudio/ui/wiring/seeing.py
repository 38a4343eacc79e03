"""How images are shown: contrast, channels, pixels, outlines, minimap, scale bar; kept with the project."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, QTimer

from sslstudio.errors import UserError
from sslstudio.images.huge import open_huge
from sslstudio.images.huge_picture import HugePicture
from sslstudio.images.look import (
    Look,
    Shade,
    Window,
    default_look,
    look_from_json,
    render,
    shades_of,
    windows_of,
)
from sslstudio.images.picture import Picture, sample_of, windows_in
from sslstudio.language import tr
from sslstudio.ui import background
from sslstudio.ui.view.card import SWITCHES
from sslstudio.ui.view.state import ALL, ViewState

if TYPE_CHECKING:
    from pathlib import Path

    from sslstudio.ui.main_window import MainWindow

LOOKED_AT = 12  # images of the folder that its window is found from
SETTLED = 250  # milliseconds after the last change, until tools go by what is seen
DRAG = 200  # pixels of the right button's way for half or double the contrast, or a whole window's brightness
_SAMPLES = 100_000  # pixels of each of them
_KEPT = {
    "view.smooth": False,
    "view.outline": False,
    "view.grid": True,
    "view.minimap": True,
    "view.scale_bar": True,
}


class SeeingWiring(QObject):
    """Connects the card of the view, its actions and the canvas with what the project remembers."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window = window
        self.session = window.session
        self.canvas = window.canvas
        self.card = window.view_card
        self.target = ALL
        self._kind = ""  # of the picture that is shown
        self._dragged: Window = (0.0, 1.0)  # the window when the right button began to drag
        self._own: Look | None = None  # of the current image alone
        self._folder: dict[str, Look] = {}  # by kind of picture
        self._measuring: background.Task | None = None
        self._rendering: background.Task | None = None
        self._settled = QTimer(self, interval=SETTLED, singleShot=True)
        self._settled.timeout.connect(self._render_for_tools)
        self._wire_card()
        self._wire_actions()
        self.canvas.window_dragged.connect(self.drag_window)
        self.session.opened.connect(self._on_opened)
        self.session.closed.connect(self._stop)
        self.session.image_chosen.connect(lambda _: self._on_chosen())
        self.session.image_ready.connect(self._on_ready)
        self.session.image_failed.connect(lambda _: self._draw())

    def _wire_card(self) -> None:
        card = self.card
        card.window_chosen.connect(self.set_window)
        card.gamma_chosen.connect(lambda gamma: self._change(lambda look: replace(look, gamma=gamma)))
        card.contrast_chosen.connect(self.set_contrast)
        card.target_chosen.connect(self._on_target)
        card.only_chosen.connect(self.set_only)
        card.shown_chosen.connect(lambda at, on: self._change(lambda look: look.with_channel(at, shown=on)))
        card.colour_chosen.connect(lambda at, to: self._change(lambda look: look.with_channel(at, colour=to)))
        card.bands_chosen.connect(lambda *bands: self._change(lambda look: look.with_bands(*bands)))
        card.action_wanted.connect(lambda name: self.window.actions_[name].trigger())
        card.closed.connect(lambda: self.window.actions_["view.look"].setChecked(False))

    def _wire_actions(self) -> None:
        act = self.window.actions_
        act["view.look"].toggled.connect(self._on_card_wanted)
        act["view.auto"].triggered.connect(lambda: self.set_contrast("each"))
        act["view.reset"].triggered.connect(lambda: self.reset())
        for name, default in _KEPT.items():
            act[name].setChecked(default)
            act[name].toggled.connect(lambda on, name=name: self._on_switched(name, on))

    # what is asked --------------------------------------------------------------------------------------

    def look(self, picture: Picture) -> Look:
        """How a picture is shown: as it was set for this image alone, for all of its kind, or by default."""
        return self._own or self._folder_look(picture) or picture.first_look()

    def shades_for(self, picture: Picture) -> tuple[Shade, ...] | None:
        """What the canvas needs to show it; None where 8-bit values are shown as they are."""
        look = self.look(picture)
        if picture.native.dtype == np.uint8 and look == default_look(picture.channels, "uint8"):
            return None
        return shades_of(look, self._windows(picture))

    # what is wished -------------------------------------------------------------------------------------

    def set_window(self, low: float, high: float) -> None:
        """Show the chosen channel, or all, between two values, from now on by hand."""
        picture = self.session.picture
        if picture is None:
            return
        windows = dict(enumerate(self._windows(picture)))
        windows.update({at: (low, max(low, high)) for at in windows if self.target in (ALL, at)})
        self._change(lambda look: look.with_windows(windows, "hand"))

    def drag_window(self, right: float, up: float, begins: bool) -> None:
        """The right button is dragged over the image: to the right for more contrast, up for brighter.

        As in viewers of medical images: 200 pixels halve the window, or move it by its width.
        """
        picture = self.session.picture
        if picture is None:
            return
        if begins:
            self._dragged = self._windows(picture)[0 if self.target == ALL else self.target]
        low, high = self._dragged
        width, middle = high - low, (low + high) / 2
        middle -= width * up / DRAG
        half = width * 2 ** (-right / DRAG) / 2
        self.set_window(middle - half, middle + half)

    def set_contrast(self, contrast: str) -> None:
        """Where windows come from."""
        picture = self.session.picture
        if picture is None:
            return
        if contrast == "folder":
            self._measure_folder(picture)
        elif contrast == "hand":
            windows = dict(enumerate(self._windows(picture)))
            self._change(lambda look: look.with_windows(windows, "hand"))
        else:
            self._forget_measuring()
            self._change(lambda look: replace(look, contrast=contrast))

    def set_only(self, wanted: bool) -> None:
        """Let this image have settings of its own, or those of its folder again."""
        picture = self.session.picture
        if picture is not None:
            self._own = self.look(picture) if wanted else None
            self._keep(picture)
            self._show()

    def reset(self) -> None:
        """Contrast, gamma and colours as at first, for this image alone or for the folder."""
        picture = self.session.picture
        if picture is not None:
            self._forget_measuring()
            self.target = _first_target(picture)
            self._change(lambda look: picture.first_look())

    # inside ---------------------------------------------------------------------------------------------

    def _change(self, changed: Callable[[Look], Look]) -> None:
        picture = self.session.picture
        if picture is None:
            return
        look = changed(self.look(picture))
        if self._own is not None:
            self._own = look
        else:
            self._folder[picture.kind] = look
        self._keep(picture)
        self._show()

    def _keep(self, picture: Picture) -> None:
        self.session.remember(_own_key(self.session.image), self._own.to_json() if self._own else None)
        if picture.kind in self._folder:
            self.session.remember(_kind_key(picture.kind), self._folder[picture.kind].to_json())

    def _folder_look(self, picture: Picture) -> Look | None:
        if picture.kind not in self._folder:
            kept = self.session.recall(_kind_key(picture.kind), None)
            look = look_from_json(kept, picture.channels, picture.native.dtype)
            if look is None:
                return None
            self._folder[picture.kind] = look
        return self._folder[picture.kind]

    def _windows(self, picture: Picture) -> tuple[Window, ...]:
        look = self.look(picture)
        return windows_of(look, picture.windows_for(look.contrast))

    def _show(self) -> None:
        """Let the canvas show the picture so, and tools go by it once nothing changes any more."""
        picture = self.session.picture
        if picture is not None:
            self.canvas.set_shades(self.shades_for(picture))
            self._settled.start()
        self._draw()

    def _render_for_tools(self) -> None:
        picture = self.session.picture
        if picture is None:
            return
        shades, key = self.shades_for(picture), self.session.image
        if shades is None or shades == self._first_shades(picture):
            self.canvas.set_seen(picture.rgb8)
            return

        if isinstance(picture, HugePicture):
            self.canvas.set_seen(picture.seen(shades))
            return

        def done(seen: np.ndarray) -> None:
            if self.canvas.key == key and self.session.picture is picture and self.shades_for(picture) == shades:
                self.canvas.set_seen(seen)

        self._rendering = background.run(lambda task: render(picture.finite, shades), done, lambda error: None)

    def _first_shades(self, picture: Picture) -> tuple[Shade, ...]:
        look = default_look(picture.channels, picture.native.dtype)
        return shades_of(look, windows_of(look, picture.windows))

    # the folder's window --------------------------------------------------------------------------------

    def _measure_folder(self, picture: Picture) -> None:
        """Find one window for the folder, from some images of the same kind, beside the window."""
        self._forget_measuring()
        session, image, kind, project = self.session, self.session.image, picture.kind, self.session.project
        alike = [r.path for r in session.records if not r.problem and f"{r.channels} {r.dtype}" == kind]
        files = [session.file(path) for path in _spread(alike, LOOKED_AT)] or [session.file()]

        def done(windows: tuple[Window, ...]) -> None:
            self._measuring = None
            if session.project is project and session.image == image and session.picture is picture:
                self._change(lambda look: look.with_windows(dict(enumerate(windows)), "folder"))

        def failed(error: UserError) -> None:
            self._measuring = None
            self._draw()

        self._measuring = background.run(lambda task: _window_of(task, files, picture), done, failed)
        self._draw()

    def _forget_measuring(self) -> None:
        if self._measuring is not None:
            self._measuring.cancel()
            self._measuring = None

    # what happens ---------------------------------------------------------------------------------------

    def _on_opened(self) -> None:
        self._folder.clear()
        self._kind = ""
        kept = self.session.recall("view", {})
        for name, default in _KEPT.items():
            wanted = bool(kept.get(name, default)) if isinstance(kept, dict) else default
            self.window.actions_[name].setChecked(wanted)
            self._apply(name, wanted)
        self.window.actions_["view.look"].setChecked(False)

    def _on_chosen(self) -> None:
        self._own = None
        self._forget_measuring()
        self._settled.stop()

    def _on_ready(self) -> None:
        """The picture is there already, in the right shades."""
        if self.canvas.image_size != (0, 0):
            self._settled.start()
        self._draw()

    def load_own(self, picture: Picture) -> None:
        """Recall what was set for the current image alone."""
        kept = self.session.recall(_own_key(self.session.image), None)
        self._own = look_from_json(kept, picture.channels, picture.native.dtype)
        if picture.kind != self._kind:
            self._kind, self.target = picture.kind, _first_target(picture)

    def _stop(self) -> None:
        self._forget_measuring()
        self._settled.stop()
        self._own = None
        self._draw()

    def _on_target(self, target: int) -> None:
        self.target = target
        self._draw()

    def _on_card_wanted(self, wanted: bool) -> None:
        self.card.setVisible(wanted)
        if wanted:
            self.card.raise_()
            self._draw()
        elif self.canvas.isVisible():
            self.canvas.setFocus()

    def _on_switched(self, name: str, on: bool) -> None:
        self._apply(name, on)
        act = self.window.actions_
        self.session.remember("view", {name: act[name].isChecked() for name in _KEPT})
        self._draw()

    def _apply(self, name: str, on: bool) -> None:
        canvas = self.canvas
        calls: dict[str, Callable[[bool], None]] = {
            "view.smooth": canvas.set_smooth,
            "view.outline": lambda wanted: canvas.set_filled(not wanted),
            "view.grid": canvas.set_grid,
            "view.minimap": canvas.minimap.set_wanted,
            "view.scale_bar": canvas.set_scale_bar,
        }
        calls[name](on)

    def _draw(self) -> None:
        if self.card.isVisibleTo(self.canvas):
            self.card.draw(self.state())

    def state(self) -> ViewState:
        """What the card shows."""
        picture, act = self.session.picture, self.window.actions_
        if picture is None:
            return ViewState()
        look, windows = self.look(picture), self._windows(picture)
        chosen = [window for at, window in enumerate(windows) if self.target in (ALL, at)]
        return ViewState(
            names=_names(picture.channels),
            channels=look.channels,
            bands=look.bands(),
            target=self.target,
            histogram=picture.histogram,
            low=min(low for low, _ in chosen),
            high=max(high for _, high in chosen),
            whole=picture.native.dtype.kind != "f",
            gamma=look.gamma,
            contrast="folder" if self._measuring else self._contrast(look, picture),
            told_window=picture.told is not None,
            eight_bit=picture.native.dtype == np.uint8,
            only=self._own is not None,
            told=self._told(picture),
            switches={name: act[name].isChecked() for name in SWITCHES},
            scaled=picture.pixel_size is not None,
        )

    def _contrast(self, look: Look, picture: Picture) -> str:
        """Where windows come from, as it is for this picture: not every file brings one along."""
        return "each" if look.contrast == "file" and picture.told is None else look.contrast

    def _told(self, picture: Picture) -> str:
        if self._measuring is not None:
            return tr("Looking at images of the folder …")
        if picture.pixel_size is None:
            return tr("The file does not tell its pixel size.")
        x, y = picture.pixel_size.x, picture.pixel_size.y
        return (
            tr("A pixel is {x:.4g} µm wide.").format(x=x)
            if x == y
            else tr("A pixel is {x:.4g} × {y:.4g} µm.").format(x=x, y=y)
        )


def _window_of(task: background.Task, files: list[Path], picture: Picture) -> tuple[Window, ...]:
    """The window for some files of one kind; those that cannot be read are left out. In a thread."""
    from sslstudio.images.reader import read_pixels

    samples = []
    for file in files:
        if task.cancelled:
            raise background.Cancelled
        try:
            huge = open_huge(file)
            if huge is not None:
                huge.sample_only()
            sample = sample_of(read_pixels(file), _SAMPLES) if huge is None else huge.sample
        except UserError:
            continue
        if sample.shape[1] == picture.channels:
            samples.append(sample[:, None])
    return windows_in(samples) if samples else picture.windows


def _first_target(picture: Picture) -> int:
    """Three channels have one window, so that colours keep their balance."""
    return ALL if picture.channels in (1, 3) else 0


def _spread(paths: list[str], count: int) -> list[str]:
    """At most so many of the paths, evenly spread."""
    if len(paths) <= count:
        return paths
    return [paths[round(at * (len(paths) - 1) / (count - 1))] for at in range(count)]


def _names(channels: int) -> tuple[str, ...]:
    """What channels are called."""
    if channels == 3:
        return (tr("Red"), tr("Green"), tr("Blue"))
    return tuple(tr("Channel {at}").format(at=at + 1) for at in range(channels))


def _own_key(path: str) -> str:
    return f"look of {path}"


def _kind_key(kind: str) -> str:
    return f"looks {kind}"
