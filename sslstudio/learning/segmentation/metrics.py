"""How well predicted masks match true ones: IoU, Dice and accuracy from one table of counts. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

IGNORED = 255  # unpainted pixels: neither right nor wrong


class Confusion:
    """Counts of (true class, predicted class) over all pixels added so far; unpainted truth is left out.

    ``classes`` is the number of classes or their names; names are the keys of ``iou()`` and ``dice()``.
    A prediction outside the classes counts as a miss of the true class and as a hit of none.
    """

    def __init__(self, classes: int | Sequence[str]) -> None:
        self.names = [str(i) for i in range(classes)] if isinstance(classes, int) else list(classes)
        count = len(self.names)
        self.table = np.zeros((count, count + 1), np.int64)  # the last column: predictions outside the classes

    def add(self, truth: np.ndarray, prediction: np.ndarray) -> None:
        """Count the pixels of one image; both (H, W) integers of the same shape."""
        if truth.shape != prediction.shape:
            raise ValueError(f"truth is {truth.shape} and prediction {prediction.shape}")
        count = len(self.names)
        painted = (truth != IGNORED) & (truth < count)
        true = truth[painted].astype(np.int64)
        guess = np.minimum(prediction[painted].astype(np.int64), count)
        self.table += np.bincount(true * (count + 1) + guess, minlength=count * (count + 1)).reshape(self.table.shape)

    @property
    def pixels(self) -> int:
        """How many painted pixels were counted."""
        return int(self.table.sum())

    def _parts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Per class: pixels right, pixels true, pixels predicted."""
        square = self.table[:, :-1]
        return np.diagonal(square).astype(float), self.table.sum(1).astype(float), square.sum(0).astype(float)

    def iou(self) -> dict[str, float]:
        """Intersection over union of each class that is true or predicted somewhere, 0 to 1."""
        right, true, guess = self._parts()
        return self._ratio(right, true + guess - right)

    def dice(self) -> dict[str, float]:
        """Dice coefficient of each class that is true or predicted somewhere, 0 to 1."""
        right, true, guess = self._parts()
        return self._ratio(2 * right, true + guess)

    def _ratio(self, above: np.ndarray, below: np.ndarray) -> dict[str, float]:
        rows = zip(self.names, above, below, strict=True)
        return {name: float(a / b) for name, a, b in rows if b > 0}

    def miou(self) -> float:
        """Mean IoU over the classes that are true or predicted somewhere; NaN when nothing was counted."""
        found = list(self.iou().values())
        return float(np.mean(found)) if found else float("nan")

    def pixel_accuracy(self) -> float:
        """Share of the painted pixels that are right; NaN when nothing was counted."""
        return float(self._parts()[0].sum() / self.pixels) if self.pixels else float("nan")

    def recall(self) -> dict[str, float]:
        """Share of each true class's pixels that were found, 0 to 1."""
        right, true, _ = self._parts()
        return self._ratio(right, true)

    def precision(self) -> dict[str, float]:
        """Share of what was marked as each class that is right, 0 to 1."""
        right, _, guess = self._parts()
        return self._ratio(right, guess)
