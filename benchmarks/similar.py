"""How well one click finds all of a class: similar regions measured on masks that people painted.

    python benchmarks/similar.py IMAGES MASKS --encoder CHECKPOINT_OR_TIMM_NAME [--label 1] [--count 12]

In each image one place well inside an object is clicked (seeded). IoU of what is alike with the class's mask: with the
best threshold for that image, and with the 60 % that the slider begins with; beside them the wand's, not contiguous.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch

from sslstudio.images.reader import read_rgb8
from sslstudio.learning.assist.likeness import likeness, places_of
from sslstudio.learning.backbones.checkpoints import load_encoder
from sslstudio.learning.backbones.encoder import Encoder, create_encoder
from sslstudio.project.masks import read_mask
from sslstudio.queries.messages import Example
from sslstudio.regions.alike import Alike

THRESHOLDS = np.linspace(0, 1, 41)
LONGEST = 768  # pixels: IoU is measured at this size


def main() -> None:
    """Print a row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path)
    parser.add_argument("masks", type=Path)
    parser.add_argument("--encoder", default="resnet18")
    parser.add_argument("--label", type=int, default=1)
    parser.add_argument("--count", type=int, default=12)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    folder = Path(asked.encoder)
    encoder = load_encoder(folder) if folder.is_dir() else create_encoder(asked.encoder)
    found = list(_rows(encoder.eval(), asked.images, asked.masks, asked.label, asked.count))
    names = ("best", "60 %", "wand best", "wand 24")
    print(f"{asked.images.parent.name} {asked.encoder[-60:]} n={len(found)}")
    print({name: round(float(value), 3) for name, value in zip(names, np.mean(found, axis=0), strict=True)}, flush=True)


def _rows(encoder: Encoder, images: Path, masks: Path, label: int, count: int):
    rng = np.random.default_rng(0)
    files = sorted(images.iterdir())
    done = 0
    for at in rng.permutation(len(files)):
        mask = read_mask(masks / f"{files[at].stem}.png")
        if not 0.01 <= (mask == label).mean() <= 0.7:
            continue
        image = read_rgb8(files[at], longest=LONGEST)
        truth = cv2.resize(mask, image.shape[1::-1], interpolation=cv2.INTER_NEAREST) == label
        yield _row(encoder, image, truth, rng)
        done += 1
        if done == count:
            return


def _row(encoder: Encoder, image: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> list[float]:
    depth = cv2.distanceTransform(truth.astype(np.uint8), cv2.DIST_L2, 3)
    rows, columns = np.nonzero(depth >= min(4.0, 0.6 * depth.max()))
    place = rng.integers(len(rows))
    x, y = float(columns[place]), float(rows[place])
    found = likeness(places_of(encoder, image), [Example(x, y, x, y)])
    large = Alike(found, image).small(LONGEST)
    colour = np.abs(image.astype(int) - image[int(y), int(x)].astype(int)).max(axis=2)
    return [
        max(_iou(large >= level, truth) for level in THRESHOLDS),
        _iou(large >= 0.6, truth),
        max(_iou(colour <= level, truth) for level in range(0, 160, 4)),
        _iou(colour <= 24, truth),
    ]


def _iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / max(1, (one | other).sum()))


if __name__ == "__main__":
    main()
