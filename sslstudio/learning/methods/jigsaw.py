"""Jigsaw: cut an image into nine tiles, mix them, and name the order that they are in.

Source: Noroozi and Favaro 2016, https://arxiv.org/abs/1603.09246, section 3 (context-free network, algorithm 1) and
section 4.2 (what prevents shortcuts: random gaps, each tile normalised by itself, some images grey).
Differs from the paper: permutations are chosen by the smallest distance to those chosen before and only then by
the mean distance, which alone would allow near twins, and without chance; several orders are asked of the same tile
features, since the head costs little beside the encoder; colour channels are not shifted against each other; the
head is smaller; AdamW in place of SGD; colours, flips and turns (of the whole image) follow the domain preset.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sslstudio.learning.backbones.encoder import Encoder
from sslstudio.learning.methods.base import Method, StepResult, Views, ViewSpec, full_precision, nearest_multiple
from sslstudio.recipes.methods import JigsawRecipe
from sslstudio.recipes.presets import Augmentation

SIDE = 3
TILES = SIDE * SIDE
TILE_WIDTH, HIDDEN = 128, 512
FLATTEST = 0.1
"""Added to a tile's spread in normalised units, so that noise in an empty tile is not blown up."""


class Jigsaw(Method):
    """The encoder sees one tile at a time; the head sees all nine and names their order."""

    permutations: Tensor

    def __init__(self, encoder: Encoder, recipe: JigsawRecipe, *, resolution: int, look: Augmentation) -> None:
        super().__init__()
        self.encoder = encoder
        self.puzzles = recipe.puzzles
        self.register_buffer("permutations", torch.from_numpy(permutation_set(recipe.permutations)))
        self.tile, view = tile_and_view(resolution, encoder.stride, recipe.gap)
        self.views = (ViewSpec(view, 1, (max(0.3, look.crop_low), 1.0), replace(look, grey=max(look.grey, 0.3))),)
        self.reduce = nn.Sequential(nn.Linear(encoder.width, TILE_WIDTH), nn.ReLU())
        self.head = nn.Sequential(
            nn.Linear(TILES * TILE_WIDTH, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, len(self.permutations))
        )

    def forward(self, views: Views) -> StepResult:
        """Name the orders of mixed tiles; ``views`` holds one (B, 3, H, H)."""
        images = views[0]
        tiles = normalised(random_tiles(images, self.tile))  # (B, 9, 3, t, t)
        features = self.reduce(self.encoder(tiles.flatten(0, 1))).unflatten(0, (-1, TILES))  # (B, 9, D)
        order = torch.randint(len(self.permutations), (len(images), self.puzzles)).to(images.device)
        scores = self.head(mixed(features, self.permutations[order]).flatten(2)).float()  # (B, puzzles, P)
        with full_precision(images.device):
            return StepResult(F.cross_entropy(scores.flatten(0, 1), order.flatten()))


def mixed(features: Tensor, orders: Tensor) -> Tensor:
    """Tile features (B, 9, D) in each of several orders (B, Q, 9): (B, Q, 9, D), place n shows tile orders[n]."""
    at = orders[..., None].expand(-1, -1, -1, features.shape[-1])
    return features[:, None].expand(-1, orders.shape[1], -1, -1).gather(2, at)


def tile_and_view(resolution: int, stride: int, gap: float) -> tuple[int, int]:
    """Sides of a tile and of the view in pixels: whole strides, two at least per tile, with about the gaps wanted."""
    tile = max(2 * stride, nearest_multiple(round(resolution * (1 - gap) / SIDE), stride))
    return tile, max(SIDE * tile, nearest_multiple(round(SIDE * tile / (1 - gap)), stride))


def random_tiles(images: Tensor, tile: int) -> Tensor:
    """A tile at a random place within each ninth of the images: (B, C, H, H) to (B, 9, C, tile, tile), row by row."""
    batch, _, height, _ = images.shape
    room = height // SIDE
    shift = torch.randint(room - tile + 1, (2, batch, TILES)).to(images.device)
    number = torch.arange(TILES, device=images.device)
    within = torch.arange(tile, device=images.device)
    rows = (number // SIDE * room + shift[0])[..., None] + within  # (B, 9, t)
    columns = (number % SIDE * room + shift[1])[..., None] + within
    image = torch.arange(batch, device=images.device).view(-1, 1, 1, 1)
    pixels = images.permute(0, 2, 3, 1)[image, rows[..., :, None], columns[..., None, :]]  # (B, 9, t, t, C)
    return pixels.permute(0, 1, 4, 2, 3)


def normalised(tiles: Tensor) -> Tensor:
    """Every tile (..., C, t, t) with its own mean and spread per channel removed (section 4.2)."""
    spread, mean = torch.std_mean(tiles.float(), dim=(-2, -1), keepdim=True)
    return ((tiles - mean) / (spread + FLATTEST)).to(tiles.dtype)


@functools.cache
def permutation_set(count: int) -> np.ndarray:
    """``count`` orders of nine tiles, each as far as possible from those before it, (count, 9); always the same.

    Algorithm 1, with the smallest Hamming distance before the mean one; among equals the first in
    lexicographic order.
    """
    every = np.array(list(itertools.permutations(range(TILES))), dtype=np.int8).T.copy()  # (9, 362880)
    nearest = np.full(every.shape[1], TILES, dtype=np.int32)
    total = np.zeros(every.shape[1], dtype=np.int32)
    chosen = [0]
    while len(chosen) < count:
        distance = np.zeros(every.shape[1], dtype=np.int8)
        for place, tile in zip(every, every[:, chosen[-1]], strict=True):
            distance += place != tile
        np.minimum(nearest, distance, out=nearest)
        total += distance
        chosen.append(int(np.argmax(nearest * (TILES * count) + total)))
    return every.T[chosen].astype(np.int64)
