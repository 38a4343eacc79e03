"""DenseCL: recognise an image in another view, and every place of it at the place that looks most alike.

Source: Wang et al. 2021, https://arxiv.org/abs/2011.09157, section 3 (equations 1 to 4; correspondence: 3.4).
Differs from the paper: as MoCo v2 here (queues no longer than the folder, which begin empty, with the batch's
other images beside them; shuffled batch norm in groups; AdamW; narrower heads; a faster slow copy in short runs;
augmentation by domain preset). A map finer than the grid, as a ViT's patches are, is first averaged to the grid,
features and head alike. In the first 5 % of the run only whole images count, since places cannot be matched by
features that know nothing yet (1,000 steps in the authors' code).
"""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from sslstudio.learning.backbones.encoder import Encoder, ViTEncoder
from sslstudio.learning.methods.base import Method, StepResult, Views, full_precision, two_views
from sslstudio.learning.methods.batch_norm import has_batch_norm, in_shuffled_groups
from sslstudio.learning.methods.contrast import KeyQueue, gathered, info_nce, known_pictures, negatives_for
from sslstudio.learning.methods.heads import mlp
from sslstudio.learning.methods.momentum import follow, queue_momentum
from sslstudio.recipes.methods import DenseCLRecipe
from sslstudio.recipes.presets import Augmentation


class DenseCL(Method):
    """MoCo v2 with a second head and a second queue, for the P places of an image."""

    def __init__(self, encoder: Encoder, recipe: DenseCLRecipe, *, resolution: int, look: Augmentation) -> None:
        super().__init__()
        self.encoder = encoder
        self.recipe = recipe
        self.head = mlp(encoder.width, recipe.projection_hidden, recipe.projection_out, norm=False)
        self.dense_head = mlp(encoder.width, recipe.projection_hidden, recipe.projection_out, norm=False)
        self.key_encoder = copy.deepcopy(encoder).requires_grad_(False)
        self.key_head = copy.deepcopy(self.head).requires_grad_(False)
        self.key_dense_head = copy.deepcopy(self.dense_head).requires_grad_(False)
        self.queue = KeyQueue(recipe.queue, recipe.projection_out)
        self.dense_queue = KeyQueue(recipe.queue, recipe.projection_out)
        self.views = two_views(encoder, resolution, look)
        self._groups = has_batch_norm(encoder)
        self._queue_steps = 1.0

    def forward(self, views: Views) -> StepResult:
        """Queries from the first view of every image, keys from the second; ``views`` holds one (2B, 3, H, W)."""
        left, right = views[0].chunk(2)
        pooled, places = whole_and_places(self.encoder, left, self.recipe.grid)
        queries, dense_queries = self.head(pooled).float(), self.dense_head(places).float()  # (B, D), (B, P, D)
        keys, dense_keys, key_places = (part.float() for part in self._keys(right))
        pictures = known_pictures(self.pictures, keys)
        with full_precision(keys.device):
            queries, keys, dense_queries = _unit(queries), _unit(keys), _unit(dense_queries)
            means = _unit(dense_keys.mean(dim=1))  # (B, D): one negative per image for all places
            match = most_alike(places.detach().float(), key_places)
            partners = _unit(dense_keys).gather(1, match[..., None].expand_as(dense_queries))
            temperature = self.recipe.temperature
            whole = info_nce(queries, keys, negatives_for(pictures, keys, self.queue), temperature)
            others = negatives_for(pictures, means, self.dense_queue)
            others = replace(others, forbidden=others.forbidden[:, None])  # the same for all places of an image
            dense = info_nce(dense_queries, partners, others, temperature)
        if self.training:
            everyone = gathered(pictures)
            self.queue.add(gathered(keys), everyone)
            self.dense_queue.add(gathered(means), everyone)
            self._queue_steps = self.recipe.queue / len(keys)
        weight = self._dense_weight()
        return StepResult((1 - weight) * whole + weight * dense)

    def _dense_weight(self) -> float:
        """How much places count at this step (equation 4's lambda, 0 at first)."""
        return self.recipe.dense_weight if self.position.share >= self.recipe.dense_start else 0.0

    @torch.no_grad()
    def _keys(self, images: Tensor) -> tuple[Tensor, ...]:
        """The slow copy's heads' outputs (B, D) and (B, P, D), and its features (B, P, width)."""
        return in_shuffled_groups(self._key_outputs, images) if self._groups else self._key_outputs(images)

    def _key_outputs(self, images: Tensor) -> tuple[Tensor, ...]:
        pooled, places = whole_and_places(self.key_encoder, images, self.recipe.grid)
        return self.key_head(pooled), self.key_dense_head(places), places

    def after_step(self) -> None:
        """Let the slow copies follow."""
        momentum = queue_momentum(self.recipe.momentum, self.position.expected_steps, self._queue_steps)
        follow(self.key_encoder, self.encoder, momentum)
        follow(self.key_head, self.head, momentum)
        follow(self.key_dense_head, self.dense_head, momentum)


def whole_and_places(encoder: Encoder, images: Tensor, grid: int) -> tuple[Tensor, Tensor]:
    """Features of whole images (B, width) and of their places in row order (B, P, width), at most ``grid`` a side."""
    if isinstance(encoder, ViTEncoder):
        tokens = encoder.tokens(images)
        patches = tokens[:, encoder.net.num_prefix_tokens :]  # (B, N, D)
        pooled = tokens[:, 0] if encoder.net.cls_token is not None else patches.mean(dim=1)
        rows = images.shape[-2] // encoder.stride
        features = patches.transpose(1, 2).unflatten(2, (rows, -1))
    else:
        features = encoder.feature_levels(images)[-1]
        pooled = features.mean(dim=(-2, -1))
    rows, columns = features.shape[-2:]
    if rows > grid or columns > grid:
        features = F.adaptive_avg_pool2d(features, (min(rows, grid), min(columns, grid)))
    return pooled, features.flatten(2).transpose(1, 2)


def most_alike(places: Tensor, key_places: Tensor) -> Tensor:
    """For every place (B, P, W), which of the other view's places (B, P, W) points most the same way, (B, P)."""
    return (_unit(places) @ _unit(key_places).transpose(1, 2)).argmax(dim=2)


def _unit(x: Tensor) -> Tensor:
    return F.normalize(x, dim=-1)
