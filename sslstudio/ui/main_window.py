"""The window: lays out its parts, installs the actions, keeps its shape; what they do is wired in ``wiring``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QByteArray, QSize, Qt, QTimer
from PySide6.QtGui import (
    QAction,
    QActionGroup,
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeyEvent,
    QKeySequence,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from sslstudio.ui import icons, state, theme
from sslstudio.ui.actions import ACTIONS, MENUS, Action
from sslstudio.ui.app import Application
from sslstudio.ui.browser import Browser
from sslstudio.ui.canvas import Canvas
from sslstudio.ui.folder_map import FolderMap
from sslstudio.ui.keyboard import KeyboardFrame, is_typing
from sslstudio.ui.notice import Notice, NoticeBar
from sslstudio.ui.panels.export import ExportPanel
from sslstudio.ui.panels.finetune import FinetunePanel
from sslstudio.ui.panels.images import ImagesPanel
from sslstudio.ui.panels.paint import PaintPanel
from sslstudio.ui.panels.pretrain import PretrainPanel
from sslstudio.ui.panels.review import ReviewPanel
from sslstudio.ui.panels.working import WorkingPanel
from sslstudio.ui.pill import Pill
from sslstudio.ui.session import Session
from sslstudio.ui.shortcuts import menu_texts, tip_of
from sslstudio.ui.slice_bar import SliceBar
from sslstudio.ui.status import Status
from sslstudio.ui.stepper import STEPS, Stepper
from sslstudio.ui.strip import TOOLS, Strip
from sslstudio.ui.thumbnails import Thumbnails
from sslstudio.ui.veil import Veil
from sslstudio.ui.view import ViewCard
from sslstudio.ui.welcome import Welcome

LEFT, RIGHT = 29 * theme.SPACE, 42 * theme.SPACE  # widths at first
TITLE = 40  # pixels for the frame's title bar, which Qt does not know before a window is shown
LEAST = QSize(1100, 700)  # where the screen has as much
REDRAW = 40  # milliseconds in which several reasons to redraw become one


class MainWindow(QMainWindow):
    """One window on one project, or the welcome page."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("window")
        self.setWindowTitle("SSL Studio")
        self.setMinimumSize(LEAST)
        self.setAcceptDrops(True)
        self.session = Session(self)
        self.step = "images"
        self.actions_: dict[str, QAction] = {}
        self._install_actions()
        self._build()
        self._veil = Veil(self)
        self._redraw = QTimer(self, interval=REDRAW, singleShot=True)
        self._wire()
        self._restore()
        self.refresh_actions()

    # parts ----------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.welcome = Welcome()
        self.stepper, self.pill = Stepper(), Pill()
        self.browser, self.canvas = Browser(), Canvas()
        for area in (self.browser.view, self.canvas):
            KeyboardFrame(area)
        self.view_card = ViewCard(self.canvas)
        self.notice = NoticeBar(still=lambda: self.canvas.hand.dragging)
        self.panels: dict[str, Any] = {  # each a Panel with signals of its own
            "images": ImagesPanel(),
            "pretrain": PretrainPanel(),
            "paint": PaintPanel(),
            "finetune": FinetunePanel(),
            "review": ReviewPanel(),
            "export": ExportPanel(),
            "working": WorkingPanel(),
        }
        self.map_thumbnails = Thumbnails(self)
        self.map = FolderMap(self.map_thumbnails.get)
        self.stage = _named(QStackedWidget(), "stage")
        self.stage.addWidget(self.canvas)
        self.stage.addWidget(self.map)
        self.panel_stack = _named(QStackedWidget(), "panels")
        for panel in self.panels.values():
            self.panel_stack.addWidget(panel)
        self.strip = Strip(self.actions_)
        self.slices = SliceBar()
        self.status = Status()
        self.setStatusBar(self.status)
        self.pages = _named(QStackedWidget(), "pages")
        self.pages.addWidget(self.welcome)
        self.pages.addWidget(self._workspace())
        self.setCentralWidget(self.pages)

    def _workspace(self) -> QWidget:
        top = _named(QWidget(), "top")
        row = QHBoxLayout(top)
        row.setContentsMargins(theme.SPACE, theme.SPACE // 2, 2 * theme.SPACE, theme.SPACE // 2)
        row.addWidget(self.stepper)
        row.addStretch(1)
        row.addWidget(self.pill)
        middle = QWidget()
        work = QHBoxLayout()
        work.setContentsMargins(0, 0, 0, 0)
        work.setSpacing(0)
        work.addWidget(self.strip)
        work.addWidget(self.stage, 1)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(work, 1)
        column.addWidget(self.slices)
        self.notice.setParent(middle)
        self.notice.lay_over(self.stage, self.view_card)
        self.splitter = _named(QSplitter(childrenCollapsible=False, handleWidth=1), "splitter")
        for part, stretch in ((self.browser, 0), (middle, 1), (self.panel_stack, 0)):
            self.splitter.addWidget(part)
            self.splitter.setStretchFactor(self.splitter.count() - 1, stretch)
        self.browser.setMinimumWidth(24 * theme.SPACE)
        self.splitter.setSizes([LEFT, 800, RIGHT])
        page = _named(QWidget(), "workspace")
        whole = QVBoxLayout(page)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(top)
        whole.addWidget(_line())
        whole.addWidget(self.splitter, 1)
        return page

    def _install_actions(self) -> None:
        menus = {name: self.menuBar().addMenu(text) for name, text in zip(MENUS, menu_texts(), strict=True)}
        tools = QActionGroup(self)
        classes = QActionGroup(self)
        classes.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)  # none has a class without a key
        for row in ACTIONS:
            action = _qaction(row, self)
            if row.gap:
                menus[row.menu].addSeparator()
            menus[row.menu].addAction(action)
            if row.id in TOOLS:
                tools.addAction(action)
            elif row.number and row.menu == "Paint":
                classes.addAction(action)
            self.actions_[row.id] = action
        for name, menu in menus.items():
            menu.setObjectName(f"menu.{name.lower()}")
            menu.setToolTipsVisible(True)

    def _wire(self) -> None:
        from sslstudio.ui.wiring.attention import AttentionWiring
        from sslstudio.ui.wiring.files import FilesWiring
        from sslstudio.ui.wiring.hand import HandWiring
        from sslstudio.ui.wiring.keys import KeysWiring
        from sslstudio.ui.wiring.languages import LanguagesWiring
        from sslstudio.ui.wiring.learning import LearningWiring
        from sslstudio.ui.wiring.looks import LooksWiring
        from sslstudio.ui.wiring.masks import MasksWiring
        from sslstudio.ui.wiring.painting import PaintingWiring
        from sslstudio.ui.wiring.panels import PanelsWiring
        from sslstudio.ui.wiring.review import ReviewWiring
        from sslstudio.ui.wiring.seeing import SeeingWiring
        from sslstudio.ui.wiring.similar import SimilarWiring
        from sslstudio.ui.wiring.similar_folder import SimilarFolderWiring
        from sslstudio.ui.wiring.slices import SlicesWiring
        from sslstudio.ui.wiring.strokes import StrokesWiring
        from sslstudio.ui.wiring.tools import ToolsWiring
        from sslstudio.ui.wiring.working import WorkingWiring

        self.files = FilesWiring(self)
        self.masks = MasksWiring(self)
        self.keys = KeysWiring(self)
        self.languages = LanguagesWiring(self)
        self.looks = LooksWiring(self)
        self.painting = PaintingWiring(self)
        self.seeing = SeeingWiring(self)
        self.tools = ToolsWiring(self)
        self.strokes = StrokesWiring(self)
        self.hand = HandWiring(self)
        self.stacks = SlicesWiring(self)
        self.learning = LearningWiring(self)
        self.review = ReviewWiring(self)
        self.attention = AttentionWiring(self)
        self.similar = SimilarWiring(self)
        self.similar_folder = SimilarFolderWiring(self)
        self.drawing = PanelsWiring(self)
        self.working = WorkingWiring(self)
        self._redraw.timeout.connect(self.drawing.draw)
        app = QApplication.instance()
        if isinstance(app, Application):
            app.pen_left.connect(self._put_pen_away)  # of the window, which Qt parts from the application when it goes
        self.stepper.chosen.connect(self.go_to_step)
        for step in STEPS:
            self.actions_[f"go.{step}"].triggered.connect(lambda _=False, step=step: self.go_to_step(step))
        fold = self.actions_["view.browser"]
        fold.toggled.connect(self.browser.setVisible)
        self.actions_["view.panel"].toggled.connect(self.panel_stack.setVisible)
        for name in ("view.browser", "view.panel"):
            self.actions_[name].setChecked(True)
        self.actions_["view.full_screen"].toggled.connect(self._on_full_screen)

    def _put_pen_away(self) -> None:
        self.canvas.hand.put_pen_away()

    # what the wirings ask -------------------------------------------------------------------------------

    def tell(self, notice: Notice) -> None:
        """Show a notice above the canvas, or on the welcome page while no project is open."""
        bar = self.welcome.notice if self.session.project is None else self.notice
        bar.tell(notice)

    def redraw(self) -> None:
        """Draw stepper, pill and panel soon; several wishes become one."""
        if not self._redraw.isActive():
            self._redraw.start()

    def go_to_step(self, step: str) -> None:
        """Open a step: its panel, and what the canvas shows in it."""
        self.step = step
        self.panel_stack.setCurrentWidget(self.panels[step])
        self.session.remember("step", step)
        self.notice.followed(step)
        self.review.on_step()
        self.working.on_step()
        self.stacks.on_step()
        self.drawing.draw()

    def show_page(self, *, project: bool) -> None:
        """The workspace, or the welcome page."""
        self.pages.setCurrentIndex(1 if project else 0)
        self.status.setVisible(project)
        if project:
            self.canvas.setFocus()  # keys paint at once; Qt would pass the place on to the first step
        self.refresh_actions()

    def refresh_actions(self) -> None:
        """Enable what makes sense now."""
        session = self.session
        has = {
            "": True,
            "project": session.project is not None,
            "image": session.labels is not None,
            "run": bool(session.queue.live()),
        }
        for row in ACTIONS:
            self.actions_[row.id].setEnabled(has[row.needs] and not (row.changes and session.reading))
        self.painting.refresh_steps()
        self.stacks.refresh()
        if session.project is not None:
            self.actions_["view.panel"].setEnabled(True)

    # Qt's events ----------------------------------------------------------------------------------------

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Go on by Tab; where what had the keyboard was hidden or disabled, nobody pressed Tab: back to the canvas."""
        last = QApplication.focusWidget()
        if last is None or (last.isVisible() and last.isEnabled()):
            return super().focusNextPrevChild(forward)
        last.clearFocus()
        if self.canvas.isVisible():
            self.canvas.setFocus()
        return True

    def showEvent(self, event: QShowEvent) -> None:
        """From now on there is a frame that keys come through."""
        super().showEvent(event)
        self.hand.listen()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc in a field that makes nothing of it gives the keyboard back to the canvas."""
        if event.key() == Qt.Key.Key_Escape and is_typing() and self.canvas.isVisible():
            self.canvas.setFocus()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take folders, projects and files from anywhere, and show it."""
        paths = _local_paths(event)
        if paths:
            event.acceptProposedAction()
            self._veil.offer(paths[0])

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """It was carried elsewhere."""
        self._veil.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        self._veil.hide()
        paths = _local_paths(event)
        if paths:
            event.acceptProposedAction()
            self.files.open(paths[0])

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask what to do with what runs; save the rest without asking."""
        if not self.files.may_close():
            event.ignore()
            return
        self._remember()
        self.files.let_go()
        self.canvas.finish_stroke()
        self.session.close()
        self.browser.close_project()
        self.map_thumbnails.close()
        super().closeEvent(event)

    # its shape ------------------------------------------------------------------------------------------

    def _restore(self) -> None:
        kept = state.settings()
        self.resize(1440, 900)
        geometry, splitter = kept.value("geometry"), kept.value("splitter")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)
        if isinstance(splitter, QByteArray):
            self.splitter.restoreState(splitter)
        for name in ("view.browser", "view.panel"):
            self.actions_[name].setChecked(str(kept.value(name, "true")) != "false")
        self.show_page(project=False)

    def fit_on_screen(self) -> None:
        """Before it is shown first: be no larger than the screen, and on it; maximised where there is no room."""
        screen = self.screen() if self.isVisible() else QApplication.screenAt(self.geometry().center())
        room = (screen or QApplication.primaryScreen()).availableGeometry()
        self.setMinimumSize(LEAST.boundedTo(room.size()))  # a small screen, or all of it enlarged
        if self.isMaximized() or self.isFullScreen():
            return
        if self.width() > room.width() or self.height() > room.height() - TITLE:
            self.move(room.topLeft())
            self.resize(self.size().boundedTo(room.size()))
            self.setWindowState(self.windowState() | Qt.WindowState.WindowMaximized)
        elif not room.contains(self.geometry()):  # of a screen that is gone
            self.move(room.center() - self.rect().center())

    def _remember(self) -> None:
        kept = state.settings()
        kept.setValue("geometry", self.saveGeometry())
        kept.setValue("splitter", self.splitter.saveState())
        for name in ("view.browser", "view.panel"):
            kept.setValue(name, "true" if self.actions_[name].isChecked() else "false")

    def _on_full_screen(self, wanted: bool) -> None:
        shown = self.windowState()
        full = Qt.WindowState.WindowFullScreen
        self.setWindowState(shown | full if wanted else shown & ~full)


def _local_paths(event: QDropEvent) -> list[Path]:
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]


def _qaction(row: Action, window: MainWindow) -> QAction:
    action = QAction(row.told, window)
    action.setObjectName(row.id)
    action.setShortcuts([QKeySequence(keys) for keys in row.shortcuts])
    action.setCheckable(row.checkable)
    action.setToolTip(tip_of(row, action))
    if row.icon:
        action.setIcon(icons.icon(row.icon))
        action.setIconVisibleInMenu(False)
    return action


W = TypeVar("W", bound=QWidget)


def _named(widget: W, name: str) -> W:
    widget.setObjectName(name)
    return widget


def _line() -> QWidget:
    line = QLabel()
    line.setFixedHeight(1)
    line.setAutoFillBackground(True)
    line.setBackgroundRole(line.palette().ColorRole.Mid)
    return line
