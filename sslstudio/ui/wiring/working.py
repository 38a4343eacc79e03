"""“Is it working?”: the panel, the map, images alike; loads what runs have found and asks for more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject

from sslstudio.errors import UserError
from sslstudio.images.slices import sources
from sslstudio.language import tr
from sslstudio.project.classes import DEFAULT_COLOURS
from sslstudio.recipes.backbones import BACKBONE_NAMES
from sslstudio.recipes.channels import fits
from sslstudio.ui import background
from sslstudio.ui.folder_map.map import MapState
from sslstudio.ui.notice import Notice
from sslstudio.ui.panels.states import Choice
from sslstudio.ui.panels.words import many, run_row
from sslstudio.ui.panels.working_state import Answer, WorkingState, answer_of, figure_rows
from sslstudio.ui.run_queue import kind_of
from sslstudio.ui.thumbnails import Thumbnails, Wish

if TYPE_CHECKING:
    from sslstudio.project.feature_sets import FeatureSet
    from sslstudio.project.project import Project
    from sslstudio.runs.request import Request
    from sslstudio.ui.main_window import MainWindow
    from sslstudio.ui.panels.live import LiveRun

LOOK, CHECK = "evaluate-features", "did-it-help"
ALIKE = 24  # images that are listed
GROUND = "#999999"
UNTRAINED = ".untrained"


class WorkingWiring(QObject):
    """Connects the panel “Is it working?” and the map with session and queue."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window, self.session, self.map = window, window.session, window.map
        self.key = ""  # the network that the user chose; empty means the newest run's
        self.colour = "group"
        self.listed = ""
        self.sets: dict[str, FeatureSet] = {}
        self._answers: dict[str, Answer] = {}
        self._wanted_alike = False
        self.thumbnails: Thumbnails = window.map_thumbnails
        self._wire()

    def _wire(self) -> None:
        window, panel, session = self.window, self.window.panels["working"], self.session
        panel.back_wanted.connect(lambda: window.go_to_step("pretrain"))
        panel.network_chosen.connect(self.choose)
        panel.look_wanted.connect(self.look)
        panel.check_wanted.connect(self.check)
        for name in ("pause_wanted", "stop_wanted"):
            getattr(panel, name).connect(getattr(session.queue, name.removesuffix("_wanted")))
        panel.resume_wanted.connect(window.learning.resume)
        panel.alike_wanted.connect(self.list_alike)
        panel.all_wanted.connect(self.list_all)
        panel.map_chosen.connect(window.actions_["view.map"].setChecked)
        panel.lasso_chosen.connect(self._on_lasso)
        panel.colour_chosen.connect(self._on_colour)
        window.panels["pretrain"].working_wanted.connect(lambda: window.go_to_step("working"))
        act = window.actions_
        act["learn.working"].triggered.connect(lambda: window.go_to_step("working"))
        act["learn.help"].triggered.connect(self.ask_check)
        act["image.alike"].triggered.connect(self.list_alike)
        act["view.map"].toggled.connect(self.show_map)
        window.browser.all_wanted.connect(self.list_all)
        self.map.image_wanted.connect(window.painting.go_to)
        self.map.selected.connect(self._on_selected)
        self.map.thumbnails_wanted.connect(self._want)
        self.thumbnails.ready.connect(lambda _: self.map.update())
        session.image_chosen.connect(self.map.show_current)
        session.opened.connect(self._on_opened)
        session.queue.ended.connect(self._on_ended)
        session.queue.history_changed.connect(self._on_history)

    # what the panel shows -------------------------------------------------------------------------------

    def state(self) -> WorkingState:
        """The panel's state; reads nothing from the disk."""
        key, found = self.chosen(), self.current()
        queue = self.session.queue
        painted = [record.whole for record in self.session.records if record.painted > 0 and not record.problem]
        return WorkingState(
            images=self._seen_by(found),
            networks=self._networks(),
            network=key,
            rows=figure_rows(found.about) if found else (),
            looked=len(found.images) if found else 0,
            look=queue.latest(LOOK),
            masks=len(set(sources(painted))),
            slices=len(set(sources(painted))) < len(painted),
            pretrained=any(past.run.id == key for past in self.window.learning.encoders()),
            check=queue.latest(CHECK),
            answer=self._answers.get(key, Answer()),
            image=self.session.image,
            listed=self.listed,
            map_shown=self.window.actions_["view.map"].isChecked(),
            lasso=self.map.lasso_wanted,
            colours=self._colours(),
            colour=self.colour,
        )

    def _seen_by(self, found: FeatureSet | None) -> int:
        """How many images the network can see; those with other channels than its own do not count as new."""
        channels = found.channels if found else 3
        usable = [record for record in self.session.records if not record.problem]
        return sum(record.channels <= 0 or fits(record.channels, channels) for record in usable)

    def chosen(self) -> str:
        """The key of the network that the panel is about."""
        known = [choice.id for choice in self._networks()]
        return self.key if self.key in known else known[0] if known else ""

    def current(self) -> FeatureSet | None:
        """What the chosen network found, once it is read."""
        return self.sets.get(self.chosen())

    def _networks(self) -> tuple[Choice, ...]:
        past = self.window.learning.encoders()
        runs = [
            Choice(one.run.id, run_row(one.summary, method=one.method, backbone=one.backbone).title) for one in past
        ]
        bare = dict.fromkeys([one.backbone for one in past] or [self.window.drawing.chosen_backbone()])
        fresh = [
            Choice(f"{name}{UNTRAINED}", tr("Untrained {name}").format(name=BACKBONE_NAMES.get(name, name)))
            for name in bare
            if name
        ]
        return (*runs, *fresh)

    def choose(self, key: str) -> None:
        """Be about this network from now on."""
        self.key = key
        self.read()
        self._draw_map()
        self.window.redraw()

    # runs -----------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Let the chosen network look at all images."""
        key = self.chosen()

        def request(project: Project) -> Request:
            from sslstudio.runs.prepare_evaluation import evaluate_request

            if key.endswith(UNTRAINED):
                return evaluate_request(project, "", key.removesuffix(UNTRAINED))
            return evaluate_request(project, key)

        self.window.learning.start(LOOK, request)

    def check(self, minutes: float) -> None:
        """Find out whether the chosen run helped."""
        self.window.canvas.searches.then(lambda: self._check(minutes))

    def _check(self, minutes: float) -> None:
        key = self.chosen()

        def request(project: Project) -> Request:
            from sslstudio.runs.prepare_evaluation import help_request

            return help_request(project, key, minutes)

        self.window.learning.start(CHECK, request)

    def ask_check(self) -> None:
        """Go to where the check is, and begin it if it can begin."""
        self.window.go_to_step("working")
        if not self.state().missing:
            self.window.panels["working"].check.click()

    # images alike ---------------------------------------------------------------------------------------

    def list_alike(self) -> None:
        """Narrow the list to images like the current one; the network looks first where it has not."""
        found, image = self.current(), self.session.image
        if found is None:
            self.window.go_to_step("working")
            advice = tr("Let it look at all images first; then it can say which are alike.")
            self.window.tell(Notice(tr("The network has not looked at this folder yet."), advice, about="alike"))
            return
        try:
            alike = found.similar(image, ALIKE)
        except UserError as error:
            self.window.tell(Notice(error.problem, error.advice, "warning", "alike"))
            return
        name = image.rsplit("/", 1)[-1]
        self._list([image, *(path for path, _ in alike)], tr("Like {name}").format(name=name))

    def list_all(self) -> None:
        """List all images again."""
        self.map.clear_selection()
        self._list(None, "")

    def _list(self, images: Sequence[str] | None, words: str) -> None:
        self.listed = tr("{words}: listed at the left.").format(words=words) if words else ""
        self.window.browser.show_only(images, words)
        self.window.actions_["view.browser"].setChecked(True)
        self.window.redraw()

    def _on_selected(self, images: list[str]) -> None:
        if images:
            self._list(images, tr("{images} from the map").format(images=many(len(images), "image")))
        elif self.listed:
            self._list(None, "")

    # the map --------------------------------------------------------------------------------------------

    def show_map(self, wanted: bool) -> None:
        """Show the map in place of the image, or the image again."""
        if wanted and self.current() is None:
            self.read()
        self.window.stage.setCurrentIndex(1 if wanted else 0)
        if wanted:
            self._draw_map()
            self.map.show_current(self.session.image)
            self.map.setFocus()
        self.window.redraw()

    def on_step(self) -> None:
        """Read what there is on coming here; the map stays with this step."""
        if self.window.step == "working":
            self.read()
        else:
            self.window.actions_["view.map"].setChecked(False)

    def _on_lasso(self, wanted: bool) -> None:
        self.map.set_lasso(wanted)
        self.window.redraw()

    def _on_colour(self, colour: str) -> None:
        self.colour = colour
        self._draw_map()
        self.window.redraw()

    def _draw_map(self) -> None:
        found = self.current()
        if found is None:
            self.map.draw(MapState())
            return
        names, colours, labels = self._labels(found)
        table = np.array([_argb(colour) for colour in colours], np.uint32)
        words = tuple(names[label] for label in labels.tolist())
        used = set(labels.tolist())
        legend = tuple((colours[at], names[at]) for at in range(len(names)) if at in used)
        self.map.draw(MapState(found.images, found.points, table[labels], words, legend, tr("Map of the folder")))

    def _colours(self) -> tuple[Choice, ...]:
        from sslstudio.project.feature_sets import folder_labels

        found = self.current()
        if found is None:
            return ()
        choices = [Choice("group", tr("Groups of alike images"))]
        if folder_labels(found.images):
            choices.append(Choice("folder", tr("Folder names")))
        choices.append(Choice("class", tr("What is painted")))
        titles = {choice.id: choice.label for choice in self._networks()}
        others = [key for key in self.sets if key != found.key and key in titles]
        return (
            *choices,
            *(Choice(f"group@{key}", tr("Groups of {titles}").format(titles=titles[key])) for key in others),
        )

    def _labels(self, found: FeatureSet) -> tuple[list[str], list[str], np.ndarray]:
        """Names and colours of labels, and the label (N,) of each image, for what colours are to show."""
        from sslstudio.project.feature_sets import folder_labels

        folders = folder_labels(found.images)
        if self.colour == "folder" and folders:
            return (
                [*folders[0], tr("in no folder")],
                _palette(len(folders[0])),
                _last_for_none(folders[1], len(folders[0])),
            )
        if self.colour == "class":
            return self._painted(found)
        other = self.sets.get(self.colour.removeprefix("group@"))
        if other is not None and self.colour.startswith("group@"):
            group_of = dict(zip(other.images, other.clusters.tolist(), strict=True))
            groups = np.array([group_of.get(image, -1) for image in found.images])
        else:
            groups = found.clusters.astype(int)
        count = int(groups.max(initial=0)) + 1
        return (
            [*(tr("Group {at}").format(at=at + 1) for at in range(count)), tr("unknown")],
            _palette(count),
            _last_for_none(groups, count),
        )

    def _painted(self, found: FeatureSet) -> tuple[list[str], list[str], np.ndarray]:
        """Each image by the rarest class that is painted in it, since nearly all show the background."""
        project = self.session.project
        assert project is not None
        records = {record.path: record for record in self.session.records}
        painted = [image for image in found.images if image in records and records[image].painted > 0]
        classes = {image: project.painted_classes(image) for image in painted}
        often = [sum(label in held for held in classes.values()) for label in range(len(project.classes))]
        rarest = {image: min(held, key=lambda label: (often[label], -label)) for image, held in classes.items() if held}
        count = len(project.classes)
        labels = np.array([rarest.get(image, -1) for image in found.images])
        names = [*(one.name for one in project.classes), tr("not painted")]
        return names, [*(one.colour for one in project.classes), GROUND], _last_for_none(labels, count)

    def _want(self, images: list[str]) -> None:
        wishes = []
        for image in images:
            record = self.session.record(image)
            if record is not None and not record.problem and self.session.project is not None:
                wishes.append(Wish(image, self.session.file(image), record.size, record.mtime_ns))
        self.thumbnails.want(wishes)

    # what runs have found -------------------------------------------------------------------------------

    def read(self, *, again: bool = False) -> None:
        """Read the findings of all networks that are not read yet, in the background."""
        project = self.session.project
        if project is None:
            return
        folder = project.path
        wanted = [choice.id for choice in self._networks() if again or choice.id not in self.sets]

        def work(task: background.Task) -> dict[str, FeatureSet]:
            from sslstudio.project.feature_sets import read_features

            found = {key: read_features(folder, key) for key in wanted}
            return {key: one for key, one in found.items() if one is not None}

        def done(found: dict[str, FeatureSet]) -> None:
            if self.session.project is project and found:
                self.sets |= found
                self._draw_map()
                self.window.redraw()

        if wanted:
            self.session.tasks.run(work, done)

    def _on_opened(self) -> None:
        self.sets, self._answers, self.key, self.listed = {}, {}, "", ""
        self.window.actions_["view.map"].setChecked(False)
        self.map.draw(MapState())
        if self.session.project is not None:
            self.thumbnails.open(self.session.project.path / "cache")

    def _on_ended(self, live: LiveRun) -> None:
        if kind_of(live.id) == LOOK:
            self.read(again=True)
        elif kind_of(live.id) == CHECK:
            self._take(live.result)

    def _on_history(self) -> None:
        for past in self.session.queue.past:
            if kind_of(past.run.id) == CHECK:
                self._take(past.summary.result)
        if self.window.step == "working":
            self.read()

    def _take(self, result: object) -> None:
        """Remember the answer of a check; the newest holds."""
        if isinstance(result, dict) and result.get("run") and result.get("rounds"):
            self._answers[str(result["run"])] = answer_of(result)
            self.window.redraw()


def _palette(count: int) -> list[str]:
    """So many colours, and a grey for what has none; they begin anew after nine."""
    strong = DEFAULT_COLOURS[1:]
    return [*(strong[at % len(strong)] for at in range(count)), GROUND]


def _last_for_none(labels: np.ndarray, count: int) -> np.ndarray:
    return np.where((labels < 0) | (labels >= count), count, labels)


def _argb(colour: str) -> int:
    return 0xFF000000 | int(colour.lstrip("#"), 16)
