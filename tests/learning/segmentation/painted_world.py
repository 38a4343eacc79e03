"""A tiny world with true masks: bright squares and dark discs on a grey ground, as real files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from sslstudio.learning.training.control import Control
from sslstudio.project.masks import write_mask
from sslstudio.recipes.finetune import FinetuneRecipe
from sslstudio.runs.request import ClassSpec, FinetuneRequest, LabelledImage

COLOURS = ("#999999", "#e69f00", "#56b4e9")
CLASSES = tuple(ClassSpec(name=n, colour=c) for n, c in zip(("ground", "square", "disc"), COLOURS, strict=True))


def scene(seed: int, side: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """An image (side, side, 3) uint8 and its true labels."""
    rng = np.random.default_rng(seed)
    pixels = np.full((side, side), 120, np.uint8)
    labels = np.zeros((side, side), np.uint8)
    for _ in range(3):
        x, y = (int(v) for v in rng.integers(12, side - 12, 2))
        r = int(rng.integers(6, 11))
        if rng.random() < 0.5:
            cv2.rectangle(pixels, (x - r, y - r), (x + r, y + r), 220, -1)
            cv2.rectangle(labels, (x - r, y - r), (x + r, y + r), 1, -1)
        else:
            cv2.circle(pixels, (x, y), r, 30, -1)
            cv2.circle(labels, (x, y), r, 2, -1)
    pixels = np.clip(pixels + rng.normal(0, 8, pixels.shape), 0, 255).astype(np.uint8)
    return np.repeat(pixels[..., None], 3, 2), labels


def world(folder: Path, count: int = 4, side: int = 96) -> tuple[Path, Path]:
    """Images and a project folder with full masks of ``count`` scenes named 0.png, 1.png …"""
    images, project = folder / "images", folder / "p.sslproj"
    images.mkdir(parents=True)
    for number in range(count):
        pixels, labels = scene(number, side)
        cv2.imwrite(str(images / f"{number}.png"), pixels)
        write_labels(project, f"{number}.png", labels)
    return images, project


def write_labels(project: Path, image: str, labels: np.ndarray) -> None:
    file = project / "masks" / f"{image}.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_mask(file, labels, COLOURS)


def request(
    images: Path, train: int = 3, validation: int = 1, classes=CLASSES, preview: str = "", **settings
) -> FinetuneRequest:
    defaults = {"minutes": 0.1, "crop": 64, "batch_size": 2, "preset": "microscopy"}
    return FinetuneRequest(
        images_root=str(images),
        labelled=tuple(
            LabelledImage(image=f"{n}.png", mask=f"masks/{n}.png.png", split="train" if n < train else "validation")
            for n in range(train + validation)
        ),
        classes=classes,
        model="m",
        preview=preview,
        recipe=FinetuneRecipe(**{**defaults, **settings}),
    )


def run(job, folder: Path, asked: FinetuneRequest, project: Path, control: Control | None = None) -> list:
    """All events of a fine-tuning."""
    return list(
        job(
            asked,
            project=project,
            checkpoints=folder / "run" / "checkpoints",
            previews=folder / "run" / "previews",
            control=control or Control(),
        )
    )
