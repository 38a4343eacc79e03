"""What the masks of a project should be: every state that each image went through, and where we are in it."""

import copy

import numpy as np


class Model:
    """One image: a list of states, each (H, W) uint8, and the place in it."""

    def __init__(self, shape):
        self.states = [np.full(shape, 255, np.uint8)]
        self.at = 0

    def now(self):
        return self.states[self.at]

    def paint(self, labels):
        if (labels != self.now()).any():
            self.states = [*self.states[: self.at + 1], labels]
            self.at += 1

    def can(self, way):
        return self.at > 0 if way == "undo" else self.at + 1 < len(self.states)

    def step(self, way):
        if self.can(way):
            self.at += 1 if way == "redo" else -1

    def drop(self, at):
        """A class goes: from now on it was never painted, and those after it have moved up."""
        later = [state - ((state > at) & (state < 255)).astype(np.uint8) for state in self.states]
        self.states = [np.where(old == at, np.uint8(255), new) for old, new in zip(self.states, later, strict=True)]


class Models:
    """All images of a project and the number of its classes; ``after`` is what an action makes of them."""

    def __init__(self, images, shape, classes):
        self.images = {image: Model(shape) for image in images}
        self.classes = classes
        self.shape = shape

    def after(self, action):
        then = copy.copy(self)
        then.images = {image: copy.copy(model) for image, model in self.images.items()}
        what, *about = action
        if what == "paint":
            image, top, left, seed, height, width = about
            labels = then.images[image].now().copy()
            labels[top : top + height, left : left + width] = stroke(seed, height, width, self.classes)
            then.images[image].paint(labels)
        elif what == "shape":  # an edit of the whole image, as the shaping tools make it
            labels = shaped(then.images[about[0]].now(), about[1], self.classes)
            then.images[about[0]].paint(labels)
        elif what in ("undo", "redo"):
            then.images[about[0]].step(what)
        elif what == "import":
            for image, labels in masks(about[0], self.images, self.shape, self.classes).items():
                then.images[image].paint(labels)
        elif what == "drop":
            for model in then.images.values():
                model.drop(about[0])
            then.classes -= 1
        elif what == "class":
            then.classes += 1
        return then

    def difference(self, project):
        """What in an open project is not as it should be; empty when all is."""
        if len(project.classes) != self.classes:
            return f"{len(project.classes)} classes, not {self.classes}"
        for image, model in self.images.items():
            if project.label_map(image).labels.tobytes() != model.now().tobytes():
                return f"the labels of {image}"
            for way in ("undo", "redo"):
                if getattr(project, f"can_{way}")(image) != model.can(way):
                    return f"whether {image} can {way}"
            if abs(project.image(image).painted - (model.now() != 255).mean()) > 1e-9:
                return f"how much of {image} is painted"
        counts = sum(np.bincount(model.now().ravel(), minlength=256) for model in self.images.values())
        if list(project.class_pixels().values()) != counts[: self.classes].tolist():
            return "the pixels of each class"
        return ""


def stroke(seed, height, width, classes):
    return np.random.default_rng(seed).choice([*range(classes), 255], (height, width)).astype(np.uint8)


def shaped(labels, seed, classes):
    """Every label in turn: what a tool that changes the whole image may do."""
    table = np.arange(256, dtype=np.uint8)
    table[[*range(classes), 255]] = np.random.default_rng(seed).permutation([*range(classes), 255])
    return table[labels]


def masks(seed, images, shape, classes):
    """A mask for each image, from a seed."""
    rng = np.random.default_rng(seed)
    return {image: rng.choice([*range(classes), 255], shape).astype(np.uint8) for image in images}
