"""A made-up set of stained-cell pictures with true masks: the sample project, the demo and the tests use it.

Everything comes from random numbers with a fixed seed, so the set needs no network and no licence and is the same
on every machine. Two kinds of cell lie on a faintly textured ground: "round" cells are smooth with a compact dark
nucleus; "spindle" cells are long and grainy. Stain, exposure, focus, noise and illumination differ between slides.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

CLASSES = ("background", "round cell", "spindle cell")
COLOURS = ("#bbbbbb", "#e69f00", "#56b4e9")
BACKGROUND, ROUND, SPINDLE = range(3)
SIDES = (192, 224, 256)  # pixels

Generator = np.random.Generator


@dataclass(frozen=True)
class Sample:
    """Where a written set lies: ``images`` and ``masks`` hold PNG files of the same names."""

    images: Path
    masks: Path
    names: tuple[str, ...]


@dataclass(frozen=True)
class _Slide:
    """What all pictures of one slide share; colours are RGB from 0 to 1."""

    ground: np.ndarray
    stain: dict[int, np.ndarray]  # colour of each kind of cell
    nucleus: np.ndarray
    focus: float  # blur in pixels
    noise: float
    exposure: float


def write_sample(
    folder: Path, count: int = 200, seed: int = 7, progress: Callable[[int, int], None] | None = None
) -> Sample:
    """Write ``count`` pictures and their masks below ``folder``; a set that is complete already is left as it is."""
    folder = Path(folder)
    sample = Sample(folder / "images", folder / "masks", tuple(f"cells_{i:03d}.png" for i in range(count)))
    facts = {"count": count, "seed": seed, "version": 1}
    done = folder / "sample.json"
    if done.exists() and json.loads(done.read_text()) == facts:
        return sample
    for part in (sample.images, sample.masks):
        part.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(sample.names):
        picture, labels = make_picture(number, seed)
        Image.fromarray(picture).save(sample.images / name, compress_level=1)
        _save_mask(sample.masks / name, labels)
        if progress is not None:
            progress(number + 1, count)
    done.write_text(json.dumps(facts))
    return sample


def _save_mask(path: Path, labels: np.ndarray) -> None:
    picture = Image.fromarray(labels)
    picture.putpalette([channel for colour in COLOURS for channel in bytes.fromhex(colour[1:])])
    picture.save(path)


def make_picture(number: int, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Picture ``number`` of a set: (H, W, 3) uint8 and its labels (H, W) uint8."""
    rng = np.random.default_rng((seed, number))
    slide = _slide(np.random.default_rng((seed, 1_000_000 + number // 10)))
    height, width = (int(side) for side in rng.choice(SIDES, 2))
    canvas = _ground(rng, slide, height, width)
    labels = np.zeros((height, width), np.uint8)
    for kind, centre in _places(rng, height, width):
        (_draw_round if kind == ROUND else _draw_spindle)(rng, slide, canvas, labels, centre)
    return _photograph(rng, slide, canvas), labels


def _slide(rng: Generator) -> _Slide:
    """A slide's stain: purple and rose like haematoxylin and eosin, each time a little different."""
    shift = rng.normal(0, 0.045, 3)
    return _Slide(
        ground=np.clip(np.array([0.93, 0.88, 0.92]) + rng.normal(0, 0.02, 3), 0, 1),
        stain={
            ROUND: np.array([0.76, 0.58, 0.76]) + shift,
            SPINDLE: np.array([0.78, 0.55, 0.71]) + shift,
        },
        nucleus=np.array([0.36, 0.24, 0.52]) + shift,
        focus=float(rng.uniform(0.4, 1.3)),
        noise=float(rng.uniform(0.008, 0.03)),
        exposure=float(rng.uniform(0.85, 1.08)),
    )


# the ground --------------------------------------------------------------------------------------------------


def _clouds(rng: Generator, height: int, width: int, grain: float) -> np.ndarray:
    """Smooth noise (H, W) of mean 0 and deviation 1, with spots about ``grain`` pixels wide."""
    rows, columns = (max(2, int(np.ceil(side / grain)) + 1) for side in (height, width))
    coarse = rng.normal(size=(rows, columns)).astype(np.float32)
    field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return (field - field.mean()) / (field.std() + 1e-6)


def _ground(rng: Generator, slide: _Slide, height: int, width: int) -> np.ndarray:
    """Matrix between the cells, (H, W, 3) floats from 0 to 1: clouds, pale fibres and specks of debris."""
    cloud = 0.025 * _clouds(rng, height, width, 40) + 0.012 * _clouds(rng, height, width, 8)
    ground = slide.ground + cloud[..., None] * np.array([1.0, 1.4, 1.0])
    fibres = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(3, 9))):
        start = rng.uniform(0, (width, height))
        angle = rng.uniform(0, 2 * np.pi)
        steps = angle + np.cumsum(rng.normal(0, 0.12, 60))
        path = start + np.cumsum(4 * np.stack([np.cos(steps), np.sin(steps)], 1), 0)
        cv2.polylines(fibres, [path.astype(np.int32)], False, float(rng.uniform(0.3, 1)), 1, cv2.LINE_AA)
    ground -= cv2.GaussianBlur(fibres, (0, 0), 1.0)[..., None] * np.array([0.05, 0.14, 0.09])
    for _ in range(int(rng.integers(0, 6))):
        centre = tuple(int(v) for v in rng.uniform(0, (width, height)))
        cv2.circle(
            ground,
            centre,
            int(rng.integers(1, 3)),
            tuple(np.array([0.42, 0.3, 0.35]) * rng.uniform(0.7, 1.3)),
            -1,
            cv2.LINE_AA,
        )
    return ground


# the cells ---------------------------------------------------------------------------------------------------


def _places(rng: Generator, height: int, width: int) -> list[tuple[int, np.ndarray]]:
    """Kinds and centres (x, y) of cells; some come in clumps, where they touch."""
    places = []
    share = rng.uniform(0.3, 0.7)
    for _ in range(int(rng.integers(8, 17) * height * width / 220**2)):
        kind = ROUND if rng.random() < share else SPINDLE
        centre = rng.uniform((-5, -5), (width + 5, height + 5))
        places.append((kind, centre))
        while rng.random() < 0.35:
            angle = rng.uniform(0, 2 * np.pi)
            centre = centre + rng.uniform(20, 32) * np.array([np.cos(angle), np.sin(angle)])
            places.append((kind, centre))
    return places


def _blob(rng: Generator, shape: tuple[int, int], centre: np.ndarray, axes: tuple[float, float], angle: float,
          wobble: float) -> np.ndarray:  # fmt: skip
    """Coverage (H, W) from 0 to 1 of a wavy ellipse with a smooth edge."""
    turn = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    radius = np.ones_like(turn)
    for wave in range(2, 6):
        radius += wobble / wave * rng.normal() * np.cos(wave * turn + rng.uniform(0, 2 * np.pi))
    x, y = axes[0] * radius * np.cos(turn), axes[1] * radius * np.sin(turn)
    outline = np.stack([x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)], 1) + centre
    cover = np.zeros(shape, np.uint8)
    cv2.fillPoly(cover, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    return cover.astype(np.float32) / 255


def _blend(canvas: np.ndarray, cover: np.ndarray, colour: np.ndarray) -> None:
    canvas += cover[..., None] * (colour - canvas)


def _draw_body(rng: Generator, slide: _Slide, canvas: np.ndarray, labels: np.ndarray, cover: np.ndarray, kind: int,
               texture: np.ndarray) -> None:  # fmt: skip
    """Paint a cell's body with a darker rim, and its label."""
    strength = rng.uniform(0.65, 1.0)
    tint = slide.stain[kind] + rng.normal(0, 0.02, 3)
    _blend(canvas, cover * strength, tint + texture[..., None])
    rim = cover - cv2.erode(cover, np.ones((3, 3)), iterations=1)
    canvas -= (rim * 0.18 * strength)[..., None]
    labels[cover > 0.5] = kind


def _draw_round(rng: Generator, slide: _Slide, canvas: np.ndarray, labels: np.ndarray, centre: np.ndarray) -> None:
    """A smooth round cell with a compact dark nucleus."""
    shape = labels.shape
    size = rng.uniform(11, 19)
    axes = (size, size * rng.uniform(0.82, 1.0))
    angle = rng.uniform(0, np.pi)
    cover = _blob(rng, shape, centre, axes, angle, 0.06)
    _draw_body(rng, slide, canvas, labels, cover, ROUND, 0.02 * _clouds(rng, shape[0], shape[1], 10))
    inner = (axes[0] * rng.uniform(0.4, 0.55), axes[1] * rng.uniform(0.4, 0.55))
    nucleus = _blob(rng, shape, centre + rng.normal(0, size * 0.12, 2), inner, angle, 0.08)
    spots = 0.06 * _clouds(rng, shape[0], shape[1], 3)
    _blend(canvas, cv2.GaussianBlur(nucleus, (0, 0), 0.7) * rng.uniform(0.75, 0.95), slide.nucleus + spots[..., None])


def _draw_spindle(rng: Generator, slide: _Slide, canvas: np.ndarray, labels: np.ndarray, centre: np.ndarray) -> None:
    """A long grainy cell; its chromatin is strewn along the middle."""
    shape = labels.shape
    axes = (rng.uniform(20, 33), rng.uniform(7, 11))
    angle = rng.uniform(0, np.pi)
    cover = _blob(rng, shape, centre, axes, angle, 0.10)
    grain = 0.075 * _clouds(rng, shape[0], shape[1], 2.2)
    _draw_body(rng, slide, canvas, labels, cover, SPINDLE, grain)
    middle = _blob(rng, shape, centre, (axes[0] * 0.5, axes[1] * 0.5), angle, 0.15)
    strewn = np.clip(0.5 + 0.5 * _clouds(rng, shape[0], shape[1], 3), 0, 1)
    _blend(canvas, cv2.GaussianBlur(middle, (0, 0), 0.8) * strewn * rng.uniform(0.6, 0.85), slide.nucleus)


# the microscope ----------------------------------------------------------------------------------------------


def _photograph(rng: Generator, slide: _Slide, scene: np.ndarray) -> np.ndarray:
    """Uneven light, focus, exposure and noise; (H, W, 3) uint8."""
    height, width = scene.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    across = np.array([np.cos(angle := rng.uniform(0, 2 * np.pi)), np.sin(angle)])
    slope = ((x / width - 0.5) * across[0] + (y / height - 0.5) * across[1]) * rng.uniform(0, 0.22)
    corner = ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2) * rng.uniform(0, 0.35)
    picture = scene * (1 + slope - corner)[..., None] * slide.exposure
    picture = cv2.GaussianBlur(picture, (0, 0), slide.focus * rng.uniform(0.8, 1.25))
    picture += rng.normal(0, slide.noise, picture.shape) + rng.normal(0, slide.noise / 2, (height, width, 1))
    return (np.clip(picture, 0, 1) * 255).round().astype(np.uint8)
