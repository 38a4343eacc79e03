"""Compares a folder of predicted masks with a folder of true ones. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.learning.segmentation.metrics import IGNORED, Confusion
from sslstudio.project.masks import read_mask


@dataclass(frozen=True)
class Comparison:
    """Counts over all images together; ``missing`` names true masks that have no prediction.

    ``outside`` counts true pixels of a class beyond those compared; they are left out.
    """

    confusion: Confusion
    images: int
    missing: tuple[str, ...]
    outside: int = 0


def compare_folders(predictions: Path, masks: Path, classes: int | Sequence[str]) -> Comparison:
    """Match PNG files by relative path, else by stem; raises UserError where nothing can be compared."""
    truths, guesses = _pngs(masks), _pngs(predictions)
    by_stem = {path.stem: path for path in guesses.values()}
    confusion, missing, images, outside = Confusion(classes), [], 0, 0
    for name, truth in truths.items():
        guess = guesses.get(name) or by_stem.get(truth.stem)
        if guess is None:
            missing.append(name)
            continue
        outside += _add(confusion, truth, guess)
        images += 1
    if not images:
        raise UserError(
            tr("None of the {truths} masks in {masks} has a prediction of the same name in {predictions}.").format(
                truths=len(truths), masks=masks, predictions=predictions
            ),
            tr("Check that both folders belong together."),
        )
    return Comparison(confusion, images, tuple(missing), outside)


def _add(confusion: Confusion, truth: Path, guess: Path) -> int:
    """Count one image; returns how many painted pixels are of no compared class."""
    true, predicted = read_mask(truth), read_mask(guess)
    if true.shape != predicted.shape:
        sizes = " and ".join(f"{array.shape[1]} × {array.shape[0]}" for array in (predicted, true))
        raise UserError(
            tr("{name} and its true mask differ in size ({sizes} pixels).").format(name=guess.name, sizes=sizes),
            tr("Predict that image again."),
        )
    confusion.add(true, predicted)
    return int(((true >= len(confusion.names)) & (true != IGNORED)).sum())


def _pngs(folder: Path) -> dict[str, Path]:
    """PNG files below a folder by relative path; raises UserError where there is none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(tr("There is no folder {folder}.").format(folder=folder), tr("Check the path."))
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*.png"))}
    if not found:
        raise UserError(
            tr("There is no PNG file in {folder}.").format(folder=folder), tr("Masks and predictions are PNG files.")
        )
    return found
