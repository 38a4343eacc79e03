"""What the killed and the hindered do: actions on a project, told before ("will") and after ("did") each."""

import itertools
import json
import os

import numpy as np
from mask_model import Models, masks, shaped, stroke
from PIL import Image

from sslstudio.annotations.bringing_in import bring_in
from sslstudio.annotations.palette_png import import_masks
from sslstudio.project import schema
from sslstudio.project.classes import LabelClass, default_colour
from sslstudio.project.label_map import Patch
from sslstudio.project.project import Project

SHAPE = (32, 32)
IMAGES = ("a.png", "b.png", "deep/c.png")
MOST_CLASSES = 5
# Later formats, as a next version of the program might bring them: a new column that every row gets, a table
# made anew and renamed.
LATER = (
    "ALTER TABLE class ADD COLUMN note TEXT NOT NULL DEFAULT ''; UPDATE edit SET state = state;",
    "CREATE TABLE fresh (image INTEGER NOT NULL, label INTEGER NOT NULL, pixels INTEGER NOT NULL, "
    "PRIMARY KEY (image, label)) WITHOUT ROWID; INSERT INTO fresh SELECT * FROM tally; DROP TABLE tally; "
    "ALTER TABLE fresh RENAME TO tally;",
)
# How often each kind of round does what; the rest is painting.
CHANCES = {
    "painting": {"save": 0.05, "look": 0.05},
    "undo and redo": {"undo": 0.35, "redo": 0.3, "shape": 0.1},
    "image change": {"look": 0.5},
    "saving": {"save": 0.5},
    "import": {"import": 0.7},
    "classes": {"drop": 0.3, "class": 0.3, "save": 0.1},
    "opening and closing": {"reopen": 0.6},
    "migration": {},
}


def tell(*words):
    os.write(1, (json.dumps(words) + "\n").encode())


class Labourer:
    """An open project and the means to do one action on it."""

    def __init__(self, path):
        self.path = path
        self.project = Project.open(path)
        self.labels = {}

    def shown(self, image):
        if image not in self.labels:
            self.labels[image] = self.project.label_map(image)
        return self.labels[image]

    def do(self, what, *about):
        if what in ("paint", "shape"):
            labels = self.shown(about[0])
            classes = len(self.project.classes)
            if what == "paint":
                _, top, left, seed, height, width = about
                new = Patch(top, left, stroke(seed, height, width, classes))
            else:
                new = Patch(0, 0, shaped(labels.labels, about[1], classes))
            before = labels.cut(new.top, new.left, *new.labels.shape)
            self.project.add_edit(about[0], before, new)
            labels.put(new)
        elif what in ("undo", "redo"):
            patch = getattr(self.project, what)(about[0])
            if patch is not None:
                self.shown(about[0]).put(patch)
        elif what == "look":
            self.project.save_masks()
            self.labels = {about[0]: self.project.label_map(about[0])}
        elif what == "save":
            self.project.save_masks()
        elif what == "import":
            self.bring_in(*about)
        elif what == "drop":
            self.project.remove_class(about[0])
            self.labels = {}
        elif what == "class":
            now = self.project.classes
            names = {one.name for one in now}
            name = next(f"c{n}" for n in range(99) if f"c{n}" not in names)
            self.project.set_classes((*now, LabelClass(name, default_colour(len(now)))))
        elif what == "reopen":
            self.project.close()
            self.project = Project.open(self.path)
        else:
            raise ValueError(what)

    def bring_in(self, seed, way):
        report = (bring_in if way else import_masks)(self.project, prepare(self.path, seed, self.project.classes))
        assert set(report.matched) == set(IMAGES), report
        self.labels = {}


def new_project(folder):
    """A project of three classes in ``folder`` and black images in ``folder / "images"``: its path, what is painted."""
    for name in IMAGES:
        file = folder / "images" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", SHAPE).save(file)
    path = folder / "p.sslproj"
    Project.create(path, folder / "images", ["a", "b", "c"]).close()
    return path, Models(IMAGES, SHAPE, 3)


def prepare(path, seed, classes):
    """Write the masks of another program beside the project, for an import."""
    folder = path.parent / "foreign"
    for image, labels in masks(seed, IMAGES, SHAPE, len(classes)).items():
        file = folder / image
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(labels).save(file)
    entries = [{"id": place, "name": one.name, "color": one.colour} for place, one in enumerate(classes)]
    (folder / "classes.json").write_text(json.dumps({"classes": entries}))
    return folder


def choose(rng, chances, classes):
    """The next action, drawn by chance."""
    draw, image = rng.random(), IMAGES[rng.integers(len(IMAGES))]
    for what, chance in chances.items():
        draw -= chance
        if draw >= 0:
            continue
        if (what == "drop" and classes < 2) or (what == "class" and classes >= MOST_CLASSES):
            continue
        match what:
            case "save" | "class" | "reopen":
                return [what]
            case "import":
                return [what, int(rng.integers(1 << 30)), int(rng.integers(2))]
            case "drop":
                return [what, int(rng.integers(classes))]
            case "shape":
                return [what, image, int(rng.integers(1 << 30))]
            case _:
                return [what, image]
    top, left, height, width = (int(v) for v in (*rng.integers(0, 20, 2), *rng.integers(1, 12, 2)))
    return ["paint", image, top, left, int(rng.integers(1 << 30)), height, width]


def labour(path, kind, seed, ready, count):
    """Work for ever; somebody will kill us soon after we close ``ready``: in the midst of the ``count``-th action."""
    if not count:
        os.close(ready)
    if kind == "migration":
        schema.MIGRATIONS = (*schema.MIGRATIONS, *LATER)
    tell("will", ["open"])
    labourer = Labourer(path)
    tell("did", ["open"])
    rng = np.random.default_rng(seed)
    for number in itertools.count(1):
        action = choose(rng, CHANCES[kind], len(labourer.project.classes))
        if action[0] == "import":  # the other program wrote its masks before
            prepare(path, action[1], labourer.project.classes)
        tell("will", action)
        if number == count:
            os.close(ready)
        labourer.do(*action)
        tell("did", action)
